import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '@/api/errors'

import { untilReady } from './untilReady'

const notReady = () => new ApiError('not_ready', 'The map is being drawn.', null, 503)

describe('untilReady', () => {
  it('asks again until the answer is made', async () => {
    const ask = vi.fn().mockRejectedValueOnce(notReady()).mockRejectedValueOnce(notReady()).mockResolvedValue('map')
    await expect(untilReady(ask, new AbortController().signal, 1)).resolves.toBe('map')
    expect(ask).toHaveBeenCalledTimes(3)
  })

  it('lets every other failure through', async () => {
    const ask = vi.fn().mockRejectedValue(new ApiError('storage', 'Disk.', null, 503))
    await expect(untilReady(ask, new AbortController().signal, 1)).rejects.toMatchObject({ code: 'storage' })
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('stops when no caller waits any more', async () => {
    const controller = new AbortController()
    const ask = vi.fn().mockImplementation(() => {
      controller.abort()
      return Promise.reject(notReady())
    })
    await expect(untilReady(ask, controller.signal, 1)).rejects.toMatchObject({ name: 'AbortError' })
    expect(ask).toHaveBeenCalledTimes(1)
  })
})
