import { describe, expect, it } from 'vitest'

import type { PlanEntry } from '@/api/types'
import { animeCard } from '@/testing'

import { fitting, frequentGenres, pickOne, planXml } from './plan'

const entry = (id: number, changes: Partial<PlanEntry['anime']> = {}, more: Partial<PlanEntry> = {}): PlanEntry => ({
  anime: { ...animeCard(), anime_id: id, ...changes }, p_like: 0.5, duration_min: 24, ...more,
})

describe('fitting', () => {
  const all = [entry(1, { genres: ['Comedy'] }), entry(2, { type: 'Movie', genres: ['Drama'] }, { duration_min: 110 }), entry(3, { type: 'Movie', genres: [] }, { duration_min: null })]
  it.each([
    [null, [], [1, 2, 3]],
    [30, [], [1]],
    [100, [], [1, 3]],
    [120, ['Drama'], [2]],
    [30, ['Drama'], []],
  ])('%s minutes, %j', (minutes, genres, ids) => expect(fitting(all, minutes, genres).map(({ anime }) => anime.anime_id)).toEqual(ids))
})

it('names the most frequent genres first', () =>
  expect(frequentGenres([entry(1, { genres: ['A', 'B'] }), entry(2, { genres: ['B'] }), entry(3, { genres: ['C'] })], 2)).toEqual(['B', 'A']))

describe('pickOne', () => {
  const [low, high] = [entry(1, {}, { p_like: 0 }), entry(2, {}, { p_like: 1 })]
  it('draws likely favourites more often', () => {
    const draws = Array.from({ length: 100 }, (_, at) => pickOne([low, high], null, () => at / 100)?.anime.anime_id)
    expect(draws.filter((id) => id === 2).length).toBeGreaterThan(80)
    expect(draws).toContain(1)
  })
  it('draws another one than before, where there is one', () => {
    expect(pickOne([low, high], high, () => 0.99)).toBe(low)
    expect(pickOne([high], high, () => 0.5)).toBe(high)
    expect(pickOne([], null)).toBeNull()
  })
})

it('writes XML that a parser reads, whatever the title', () => {
  const xml = new DOMParser().parseFromString(planXml([entry(7, { title: 'A <b> & ]]> C', episodes: null })]), 'text/xml')
  expect(xml.querySelector('series_title')?.textContent).toBe('A <b> & ]]> C')
  expect(xml.querySelector('series_animedb_id')?.textContent).toBe('7')
  expect(xml.querySelector('my_status')?.textContent).toBe('Plan to Watch')
})
