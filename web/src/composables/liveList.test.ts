import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { effectScope, ref, shallowRef } from 'vue'

import { api } from '@/api/client'
import { ApiError } from '@/api/errors'
import type { ListFilters, RecommendationList } from '@/api/types'
import { animeCard, recommendationList } from '@/testing'

import type { Connection } from './live'
import { PAGE, useLiveList } from './liveList'
import { UpdateLog } from './updateLog'

let recommendations: MockInstance<typeof api.recommendations>
let clock = 0

function start(answers: (RecommendationList | ApiError)[]) {
  recommendations = vi.spyOn(api, 'recommendations')
  for (const answer of answers) {
    if (answer instanceof ApiError) recommendations.mockRejectedValueOnce(answer)
    else recommendations.mockResolvedValueOnce(answer)
  }
  const userId = ref<string | null>('u')
  const filters = shallowRef<ListFilters>({})
  const live = { version: ref(0), connection: ref<Connection>('live') }
  const log = new UpdateLog(() => clock)
  const covered = ref(false)
  const list = effectScope().run(() => useLiveList(userId, filters, live, log, ref(false), covered))
  if (!list) throw new Error('no scope')
  return { userId, filters, live, log, list, covered }
}

const ids = (list: { data: { value: RecommendationList | null } }) =>
  list.data.value?.items.map(({ anime }) => anime.anime_id)

beforeEach(() => {
  clock = 0
})

describe('useLiveList', () => {
  it('waits while another page covers it, and moves when it is seen again', async () => {
    const { live, list, log, covered } = start([recommendationList([1, 2, 3]), recommendationList([3, 1, 9], { version: 2 })])
    await flushPromises()
    covered.value = true
    log.sent({ eventId: 'e', userId: 'u', kind: 'click', undo: false, anime: animeCard({ anime_id: 3 }) })
    live.version.value = 2
    await flushPromises()
    expect(recommendations).toHaveBeenCalledTimes(1)
    clock = 5000
    covered.value = false
    clock = 5040
    await flushPromises()
    expect(ids(list)).toEqual([3, 1, 9])
    expect([...list.moves.value.keys()]).toEqual([3, 1, 9])
    expect(log.updates.value[0]?.ms).toBe(40)
  })

  it('does not move behind a page that covers it while a new list is on its way', async () => {
    const { live, list, covered } = start([recommendationList([1, 2, 3])])
    await flushPromises()
    let arrive: (list: RecommendationList) => void = () => undefined
    recommendations.mockReturnValueOnce(new Promise((resolve) => (arrive = resolve)))
    live.version.value = 2
    await flushPromises()
    covered.value = true
    await flushPromises()
    expect(recommendations.mock.calls.at(-1)?.[3]?.aborted).toBe(true)
    arrive(recommendationList([3, 1, 9], { version: 2 }))
    await flushPromises()
    expect(ids(list)).toEqual([1, 2, 3])
    recommendations.mockResolvedValueOnce(recommendationList([9, 3, 1], { version: 2 }))
    covered.value = false
    await flushPromises()
    expect(ids(list)).toEqual([9, 3, 1])
    expect([...list.moves.value.keys()]).toEqual([9, 3, 1])
    expect(recommendations).toHaveBeenCalledTimes(3)
  })

  it('asks again when the state is newer, and says what moved and how long it took', async () => {
    const { live, list, log } = start([recommendationList([1, 2, 3]), recommendationList([3, 1, 9], { version: 2 })])
    await flushPromises()
    expect(ids(list)).toEqual([1, 2, 3])
    clock = 100
    log.sent({ eventId: 'e', userId: 'u', kind: 'click', undo: false, anime: animeCard({ anime_id: 3 }) })
    clock = 140
    live.version.value = 2
    await flushPromises()
    expect(ids(list)).toEqual([3, 1, 9])
    expect(list.announcement.value).toMatch(/^List updated: 1 new for you: .+\.$/)
    expect(list.moves.value.get(9)).toEqual({ kind: 'new' })
    expect(log.updates.value[0]).toMatchObject({ ms: 40, cause: { kind: 'click', anime: { anime_id: 3 } } })
  })

  it('does not ask for a version it has, nor again and again for one that lags', async () => {
    const { live } = start([recommendationList([1], { version: 5 }), recommendationList([1], { version: 5 })])
    await flushPromises()
    live.version.value = 5
    await flushPromises()
    expect(recommendations).toHaveBeenCalledTimes(1)
    live.version.value = 6
    await flushPromises()
    expect(recommendations).toHaveBeenCalledTimes(2)
  })

  it('logs a change of another page without a time', async () => {
    const { live, log } = start([recommendationList([1]), recommendationList([2], { version: 2 })])
    await flushPromises()
    live.version.value = 2
    await flushPromises()
    expect(log.updates.value[0]).toMatchObject({ ms: null, cause: null })
  })

  it('starts over for other filters, without calling it a move', async () => {
    const { filters, list } = start([recommendationList([1]), recommendationList([2], { version: 2 })])
    await flushPromises()
    filters.value = { genre: ['Action'] }
    await flushPromises()
    expect(recommendations.mock.calls.at(-1)?.slice(0, 3)).toEqual(['u', PAGE, { genre: ['Action'] }])
    expect(list.moves.value.size).toBe(0)
  })

  it('keeps the list when an update fails, and asks again once back on line', async () => {
    const { live, list } = start([
      recommendationList([1]),
      new ApiError('unreachable', 'The service does not answer.'),
      recommendationList([2], { version: 2 }),
    ])
    await flushPromises()
    live.connection.value = 'broken'
    live.version.value = 2
    await flushPromises()
    expect(ids(list)).toEqual([1])
    expect(list.error.value?.code).toBe('unreachable')
    live.connection.value = 'live'
    await flushPromises()
    expect(ids(list)).toEqual([2])
    expect(list.error.value).toBeNull()
  })

  it('is empty when nothing passes the filters', async () => {
    const { list } = start([recommendationList([])])
    await flushPromises()
    expect(list.state.value).toBe('empty')
  })
})
