import { flushPromises, mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'

import { api } from '@/api/client'
import { animeCard, recommendation, recommendationList } from '@/testing'

import HomeShelves from './HomeShelves.vue'

it('shows each title once: not those of the list, and on the first shelf that has it', async () => {
  const cards = (...ids: number[]) => ids.map((id) => animeCard({ anime_id: id }))
  vi.spyOn(api, 'history').mockResolvedValue([])
  vi.spyOn(api, 'continues').mockResolvedValue([])
  vi.spyOn(api, 'trending').mockResolvedValue(cards(1, 2, 3).map((anime) => ({ anime, heat: 1 })))
  vi.spyOn(api, 'gems').mockResolvedValue(recommendationList([], { items: [2, 4, 5].map((id) => recommendation(id)) }))
  vi.spyOn(api, 'newcomers').mockResolvedValue(cards(5, 6))
  vi.spyOn(api, 'season').mockResolvedValue({ year: 2026, season: 'fall', items: cards(1, 6, 7, 8) })

  const shelves = mount(HomeShelves, {
    props: { userId: 'u', version: 1, listed: new Set([3]) },
    global: { stubs: { ShelfCard: { props: ['anime'], template: '<b>{{ anime.anime_id }}</b>' } } },
  })
  await flushPromises()
  const shown = () => shelves.findAll('section').map((shelf) => shelf.findAll('b').map((card) => Number(card.text())))
  expect(shown()).toEqual([[1, 2], [4, 5], [6], [7, 8]])

  await shelves.setProps({ listed: new Set([2]) })
  expect(shown()).toEqual([[1, 3], [4, 5], [6], [7, 8]])
})
