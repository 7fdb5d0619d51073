import { describe, expect, it } from 'vitest'

import { animeCard } from '@/testing'

import { byWeekday } from './calendar'

const entry = (id: number, released: string | null) => ({ anime: animeCard({ anime_id: id }), released, season: null })

describe('titles by weekday', () => {
  it('begin with today, and end with those whose day is not known', () => {
    // 2026-11-29 is a Sunday.
    const groups = byWeekday([entry(1, null), entry(2, '2026-10-03'), entry(3, '2026-10-04'), entry(4, '2026-10-05'), entry(5, '2026-11-22')], '2026-11-29')
    expect(groups.map(({ day, entries }) => [day, entries.map(({ anime }) => anime.anime_id)])).toEqual([
      [0, [3, 5]],
      [1, [4]],
      [6, [2]],
      [null, [1]],
    ])
  })
})
