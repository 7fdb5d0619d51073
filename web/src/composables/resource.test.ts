import { describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'

import { ApiError } from '@/api/errors'

import { type Resource, useResource } from './resource'

function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((ok, no) => {
    resolve = ok
    reject = no
  })
  return { promise, resolve, reject }
}

function inScope<T>(fetcher: (signal: AbortSignal) => Promise<T>): Resource<T> {
  return effectScope().run(() => useResource(fetcher)) as Resource<T>
}

describe('useResource', () => {
  it('goes from loading to ready', async () => {
    const resource = inScope(() => Promise.resolve([1]))
    expect(resource.state.value).toBe('loading')
    await resource.load()
    expect(resource.state.value).toBe('ready')
    expect(resource.data.value).toEqual([1])
  })

  it('is empty for an empty list', async () => {
    const resource = inScope(() => Promise.resolve([]))
    await resource.load()
    expect(resource.state.value).toBe('empty')
  })

  it('is in error if the first load fails, and recovers', async () => {
    const fetcher = vi.fn().mockRejectedValueOnce(new ApiError('storage', 'Disk.')).mockResolvedValueOnce([1])
    const resource = inScope(fetcher)
    await resource.load()
    expect(resource.state.value).toBe('error')
    expect(resource.error.value?.code).toBe('storage')
    await resource.load()
    expect(resource.state.value).toBe('ready')
    expect(resource.error.value).toBeNull()
  })

  it('keeps what is shown when a refresh fails', async () => {
    const fetcher = vi.fn().mockResolvedValueOnce([1]).mockRejectedValueOnce(new Error('boom'))
    const resource = inScope(fetcher)
    await resource.load()
    await resource.refresh()
    expect(resource.state.value).toBe('ready')
    expect(resource.data.value).toEqual([1])
    expect(resource.error.value).toMatchObject({ code: 'unexpected', message: 'boom' })
  })

  it('lets the latest call win, whatever order the answers come in', async () => {
    const first = deferred<string>()
    const second = deferred<string>()
    const fetcher = vi.fn().mockReturnValueOnce(first.promise).mockReturnValueOnce(second.promise)
    const resource = inScope<string>(fetcher)
    const one = resource.load()
    const two = resource.load()
    second.resolve('second')
    await two
    first.resolve('first')
    await one
    expect(resource.data.value).toBe('second')
    expect((fetcher.mock.calls[0]?.[0] as AbortSignal).aborted).toBe(true)
  })

  it('asks again for what failed, and for nothing else, once the network is back', async () => {
    const failing = vi.fn().mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce([1])
    const fine = vi.fn().mockResolvedValue([1])
    const [resource, other] = [inScope(failing), inScope(fine)]
    await Promise.all([resource.load(), other.load()])
    window.dispatchEvent(new Event('online'))
    await vi.waitFor(() => expect(resource.state.value).toBe('ready'))
    expect([failing, fine].map(({ mock }) => mock.calls.length)).toEqual([2, 1])
  })

  it('cancels with its scope', async () => {
    const fetcher = vi.fn().mockReturnValue(new Promise(() => undefined))
    const scope = effectScope()
    scope.run(() => void useResource(fetcher).load())
    scope.stop()
    expect((fetcher.mock.calls[0]?.[0] as AbortSignal).aborted).toBe(true)
  })
})
