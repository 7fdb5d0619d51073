import { describe, expect, it } from 'vitest'

import type { PlanEntry } from '@/api/types'
import { animeCard } from '@/testing'

import { byMood, dividingGenres, fitting, type Mood, moodFrom, moodValues, pickOne, planXml, STEPS, weightOf } from './plan'

const entry = (id: number, changes: Partial<PlanEntry['anime']> = {}, more: Partial<PlanEntry> = {}): PlanEntry => ({
  anime: { ...animeCard(), anime_id: id, ...changes }, p_like: 0.5, duration_min: 24, ...more,
})

const ids = (entries: readonly PlanEntry[]) => entries.map(({ anime }) => anime.anime_id)
const none: Mood = new Map()

describe('fitting', () => {
  const all = [entry(1), entry(2, { type: 'Movie' }, { duration_min: 110 }), entry(3, { type: 'Movie' }, { duration_min: null })]
  it.each([
    [null, [1, 2, 3]],
    [30, [1]],
    [100, [1, 3]],
    [120, [1, 2, 3]],
    [20, []],
  ])('%s minutes', (minutes, fit) => expect(ids(fitting(all, minutes))).toEqual(fit))
})

describe('mood', () => {
  const comedy = entry(1, { genres: ['Comedy'] }, { p_like: 0.2 })
  const both = entry(2, { genres: ['Comedy', 'Drama'] }, { p_like: 0.5 })
  const drama = entry(3, { genres: ['Drama'] }, { p_like: 0.9 })
  const neither = entry(4, { genres: [] }, { p_like: null })
  const all = [drama, both, neither, comedy]

  it('weighs 3 to the sum of the steps, times 0.1 + p²', () => {
    const mood: Mood = new Map([['Comedy', 'most'], ['Drama', 'less']])
    expect(weightOf(comedy, mood)).toBeCloseTo(0.14 * 9)
    expect(weightOf(both, mood)).toBeCloseTo(0.35 * 3)
    expect(weightOf(drama, mood)).toBeCloseTo(0.91 / 3)
    expect(weightOf(neither, mood)).toBeCloseTo(0.35)
  })

  it.each<[Mood, number[]]>([
    [none, [3, 2, 4, 1]],
    [new Map([['Comedy', 'more']]), [2, 3, 1, 4]],
    [new Map([['Comedy', 'most']]), [2, 1, 3, 4]],
    [new Map([['Drama', 'least']]), [4, 1, 3, 2]],
    [new Map([['Drama', 'most'], ['Comedy', 'least']]), [3, 2, 4, 1]],
  ])('orders: %o', (mood, order) => expect(ids(byMood(all, mood))).toEqual(order))

  it('leaves something to draw whatever the sliders are', () => {
    const genres = dividingGenres(all)
    expect(genres).toEqual(['Comedy', 'Drama'])
    for (const one of STEPS)
      for (const other of STEPS) {
        const mood = moodFrom([`Comedy:${one}`, `Drama:${other}`], genres)
        expect(byMood(all, mood)).toHaveLength(4)
        expect(pickOne(all, null, mood)).not.toBeNull()
      }
  })

  it('goes into an address and back, and leaves out what is no mood of this plan', () => {
    const values = ['Slice of Life:least', 'Re:Zero:more']
    const mood = moodFrom(values, ['Slice of Life', 'Re:Zero', 'Drama'])
    expect([...mood]).toEqual([['Slice of Life', 'least'], ['Re:Zero', 'more']])
    expect(moodValues(mood)).toEqual(values)
    expect(moodFrom([null, 'Drama', 'Drama:', ':more', 'Drama:any', 'Drama:much', 'Horror:more'], ['Drama']).size).toBe(0)
  })

  it('has sliders for genres that divide the plan, the most evenly first', () => {
    const plan = [['A', 'B', 'D'], ['A', 'B', 'D'], ['A', 'C', 'D'], ['A', 'D']].map((genres, at) => entry(at, { genres }))
    expect(dividingGenres(plan)).toEqual(['B', 'C'])
    expect(dividingGenres([entry(1)])).toEqual([])
  })
})

describe('pickOne', () => {
  const [low, high] = [entry(1, { genres: ['Comedy'] }, { p_like: 0 }), entry(2, {}, { p_like: 1 })]
  const draws = (mood: Mood) => Array.from({ length: 100 }, (_, at) => pickOne([low, high], null, mood, () => at / 100)?.anime.anime_id)
  it('draws likely favourites more often', () => {
    expect(draws(none).filter((id) => id === 2).length).toBeGreaterThan(80)
    expect(draws(none)).toContain(1)
  })
  it('draws what the mood asks for more often, and the rest sometimes', () => {
    expect(draws(new Map([['Comedy', 'more']])).filter((id) => id === 1).length).toBe(22)
    expect(draws(new Map([['Comedy', 'most']])).filter((id) => id === 1).length).toBe(45)
    expect(draws(new Map([['Comedy', 'least']])).filter((id) => id === 1).length).toBe(1)
  })
  it('draws another one than before, where there is one', () => {
    expect(pickOne([low, high], high, none, () => 0.99)).toBe(low)
    expect(pickOne([high], high, none, () => 0.5)).toBe(high)
    expect(pickOne([], null, none)).toBeNull()
  })
})

it('writes XML that a parser reads, whatever the title', () => {
  const xml = new DOMParser().parseFromString(planXml([entry(7, { title: 'A <b> & ]]> C', episodes: null })]), 'text/xml')
  expect(xml.querySelector('series_title')?.textContent).toBe('A <b> & ]]> C')
  expect(xml.querySelector('series_animedb_id')?.textContent).toBe('7')
  expect(xml.querySelector('my_status')?.textContent).toBe('Plan to Watch')
})
