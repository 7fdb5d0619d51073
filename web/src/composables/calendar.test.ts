import { describe, expect, it } from 'vitest'

import { animeCard } from '@/testing'

import { bySpan, byWeekday } from './calendar'

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

describe('titles to come', () => {
  it('stand by month, and by season where the day is not known', () => {
    const winter = { ...entry(4, null), season: '2027-winter' }
    const spans = bySpan([entry(1, '2026-12-03'), entry(2, '2026-12-25'), winter, entry(3, '2027-01-04'), entry(5, null)])
    expect(spans.map(({ name, entries }) => [name, entries.map(({ anime }) => anime.anime_id)])).toEqual([
      ['2026-12', [1, 2]],
      ['2027-winter', [4]],
      ['2027-01', [3]],
      [null, [5]],
    ])
  })
})
