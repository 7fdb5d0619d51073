import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { api } from '@/api/client'
import type { UserSummary } from '@/api/types'
import { animeCard } from '@/testing'

import { send } from './interactions'
import { selectViewer } from './viewer'
import { viewerLive } from './viewerLive'

let number = 0
let userId = ''
const monster = animeCard({ anime_id: 19, title: 'Monster' })
const summary = (version: number) => Promise.resolve({ version } as UserSummary)

beforeEach(() => {
  vi.useFakeTimers()
  userId = `fan-${++number}`
  selectViewer(userId)
  vi.spyOn(api, 'interact').mockResolvedValue({ accepted: ['e1'], duplicates: 0, versions: {} })
})
afterEach(() => vi.useRealTimers())

describe('an action whose version is not known yet', () => {
  it('is asked after while there is no stream', async () => {
    const user = vi.spyOn(api, 'user').mockReturnValueOnce(summary(4)).mockRejectedValueOnce(new Error('away')).mockReturnValue(summary(5))
    await send({ anime: monster, kind: 'like' })
    expect(user).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(300)
    expect(user).toHaveBeenCalledWith(userId)
    expect(viewerLive.version.value).toBe(4)
    await vi.advanceTimersByTimeAsync(4000)
    expect(viewerLive.version.value).toBe(5)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(user).toHaveBeenCalledTimes(4)
  })

  it('leaves it to the stream where there is one', async () => {
    const user = vi.spyOn(api, 'user').mockReturnValue(summary(4))
    const live = vi.spyOn(viewerLive.connection, 'value', 'get').mockReturnValue('live')
    await send({ anime: monster, kind: 'like' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(user).not.toHaveBeenCalled()
    live.mockRestore()
  })
})
