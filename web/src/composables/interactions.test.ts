import { beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'

import { api } from '@/api/client'
import { ApiError } from '@/api/errors'
import { animeCard } from '@/testing'

import { act, busyTitles, opened } from './interactions'
import { opinionOf } from './opinions'
import { toasts } from './toasts'
import { resetVisitor, selectViewer, visitor } from './viewer'
import { viewerLive } from './viewerLive'

const monster = animeCard({ anime_id: 19, title: 'Monster' })
let interact: MockInstance<typeof api.interact>

beforeEach(() => {
  resetVisitor()
  toasts.value = []
  interact = vi.spyOn(api, 'interact').mockImplementation(({ user_id, event_id }) =>
    Promise.resolve({ accepted: [event_id], duplicates: 0, versions: { [user_id]: 7 } }),
  )
})

describe('an action', () => {
  it('is sent with an id of its own and the list it came from, and can be undone', async () => {
    selectViewer('42')
    await act({ anime: monster, kind: 'like', requestId: 'r1' })
    const sent = interact.mock.calls[0]?.[0]
    expect(sent).toMatchObject({ user_id: '42', anime_id: 19, kind: 'like', request_id: 'r1' })
    expect(sent?.event_id).toMatch(/^[0-9a-f-]{36}$/)
    expect(viewerLive.version.value).toBe(7)
    expect(opinionOf('42', 19).like).toBe(true)
    expect(toasts.value.at(-1)).toMatchObject({ text: 'You like Monster', action: { label: 'Undo' } })

    await toasts.value.at(-1)?.action?.run()
    expect(interact.mock.calls[1]?.[0]).toMatchObject({ kind: 'like', undo: true })
    expect(interact.mock.calls[1]?.[0].event_id).not.toBe(sent?.event_id)
    expect(opinionOf('42', 19).like).toBeUndefined()
    expect(toasts.value.at(-1)).toMatchObject({ text: 'Taken back: Monster', action: null })
  })

  it('sends the value of a rating, and none with its undo', async () => {
    selectViewer('42')
    await act({ anime: monster, kind: 'rate', value: 9 })
    expect(interact.mock.calls[0]?.[0].value).toBe(9)
    expect(toasts.value.at(-1)?.text).toBe('You gave Monster 9 of 10')
    await act({ anime: monster, kind: 'rate', value: 9 }, true)
    expect(interact.mock.calls[1]?.[0]).not.toHaveProperty('value')
  })

  it('that fails says why, what to do, and offers to try again', async () => {
    selectViewer('42')
    interact.mockRejectedValueOnce(new ApiError('storage', 'The disk is full.', 'Free some space.', 503))
    await act({ anime: monster, kind: 'dismiss' })
    expect(toasts.value.at(-1)).toMatchObject({
      tone: 'error',
      text: 'The disk is full.',
      hint: 'Free some space.',
      action: { label: 'Try again' },
    })
    expect(opinionOf('42', 19).dismiss).toBeUndefined()
    expect(busyTitles.size).toBe(0)
    await toasts.value.at(-1)?.action?.run()
    expect(toasts.value.at(-1)?.text).toBe('Monster will not be shown again')
  })

  it('makes a newcomer where there is no user, and counts what they like', async () => {
    await act({ anime: monster, kind: 'like' })
    expect(visitor.value?.picks).toEqual([19])
    expect(interact.mock.calls[0]?.[0].user_id).toBe(visitor.value?.id)
  })

  it('of opening a title counts for somebody only, and says nothing', async () => {
    await opened(monster)
    expect(interact).not.toHaveBeenCalled()
    selectViewer('42')
    await opened(monster)
    expect(interact.mock.calls[0]?.[0].kind).toBe('click')
    expect(toasts.value).toEqual([])
  })
})
