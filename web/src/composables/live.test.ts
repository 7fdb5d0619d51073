import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type EffectScope, effectScope, ref } from 'vue'

import { followUser } from './live'

class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2
  static opened: FakeEventSource[] = []
  readyState = 1
  constructor(readonly url: string) {
    super()
    FakeEventSource.opened.push(this)
  }
  close() {
    this.readyState = FakeEventSource.CLOSED
  }
  say(type: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }))
  }
}

const last = () => FakeEventSource.opened.at(-1) as FakeEventSource

beforeEach(() => {
  FakeEventSource.opened = []
  vi.stubGlobal('EventSource', FakeEventSource)
})
afterEach(() => {
  scopes.splice(0).forEach((scope) => scope.stop())
  vi.useRealTimers()
})

const scopes: EffectScope[] = []

function follow(id: string | null) {
  const userId = ref(id)
  const scope = effectScope()
  scopes.push(scope)
  const live = scope.run(() => followUser(userId, 50))
  if (!live) throw new Error('no scope')
  return { userId, live, scope }
}

describe('followUser', () => {
  it('hears hello and changes', () => {
    const { live, scope } = follow('42')
    expect(last().url).toBe('/api/v1/users/42/events')
    expect(live.connection.value).toBe('connecting')
    last().say('hello', { user_id: '42', version: 3 })
    expect(live.connection.value).toBe('live')
    last().say('changed', { user_id: '42', version: 4, event_id: 'e', kind: 'click', anime_id: 1, accepted_ms: 0 })
    expect(live.version.value).toBe(4)
    expect(live.lastChange.value?.event_id).toBe('e')
    scope.stop()
    expect(last().readyState).toBe(2)
  })

  it('never goes back to an older version, nor takes one of another user', () => {
    const { live } = follow('42')
    live.raiseVersion('42', 7)
    last().say('hello', { user_id: '42', version: 3 })
    live.raiseVersion('43', 99)
    expect(live.version.value).toBe(7)
  })

  it('opens a new stream for a new user, and none without a user', () => {
    const { userId, live } = follow('42')
    live.raiseVersion('42', 7)
    userId.value = '43'
    expect(FakeEventSource.opened.map(({ url }) => url.split('/')[4])).toEqual(['42', '43'])
    expect(FakeEventSource.opened[0]?.readyState).toBe(2)
    expect(live.version.value).toBe(0)
    userId.value = null
    expect(FakeEventSource.opened).toHaveLength(2)
  })

  it('lets go of the stream while the page is hidden', () => {
    const hidden = vi.spyOn(document, 'hidden', 'get')
    const { scope } = follow('42')
    hidden.mockReturnValue(true)
    document.dispatchEvent(new Event('visibilitychange'))
    expect(FakeEventSource.opened.map(({ readyState }) => readyState)).toEqual([2])
    hidden.mockReturnValue(false)
    document.dispatchEvent(new Event('visibilitychange'))
    expect(FakeEventSource.opened).toHaveLength(2)
    scope.stop()
    document.dispatchEvent(new Event('visibilitychange'))
    expect(FakeEventSource.opened).toHaveLength(2)
  })

  it('opens anew once the network is back, since a stream left open may be dead', () => {
    const { live, scope } = follow('42')
    last().say('hello', { user_id: '42', version: 3 })
    window.dispatchEvent(new Event('offline'))
    expect(last().readyState).toBe(2)
    expect(live.connection.value).toBe('broken')
    window.dispatchEvent(new Event('online'))
    expect(FakeEventSource.opened).toHaveLength(2)
    last().say('hello', { user_id: '42', version: 4 })
    expect([live.connection.value, live.version.value]).toEqual(['live', 4])
    scope.stop()
    window.dispatchEvent(new Event('online'))
    expect(FakeEventSource.opened).toHaveLength(2)
  })

  it('opens again what the browser gave up on', () => {
    vi.useFakeTimers()
    const { live } = follow('42')
    last().readyState = 0
    last().dispatchEvent(new Event('error'))
    expect(live.connection.value).toBe('broken')
    vi.advanceTimersByTime(50)
    expect(FakeEventSource.opened).toHaveLength(1)
    last().readyState = 2
    last().dispatchEvent(new Event('error'))
    vi.advanceTimersByTime(50)
    expect(FakeEventSource.opened).toHaveLength(2)
  })
})
