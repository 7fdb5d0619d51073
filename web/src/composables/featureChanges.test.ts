import { describe, expect, it } from 'vitest'

import { useArea } from '@/i18n'
import { recommendation } from '@/testing'

import { featureChanges, featureName, mostTelling, shownFeature, spreads, termChanges } from './featureChanges'

const explained = (features: Record<string, number>, score: Record<string, number> = {}) => recommendation(1, { explanation: { features, score } })

describe('what changed of a title', () => {
  const list = [explained({ edlae_score: 0, year: 1, rating_kriged: 6 }), explained({ edlae_score: 4, year: 3, rating_kriged: 8 })]

  it('is measured by how unlike the titles of the list are', () => {
    expect(Object.fromEntries(spreads(list))).toEqual({ edlae_score: 2, year: 1, rating_kriged: 1 })
    const changes = featureChanges(
      explained({ edlae_score: 1, year: 2, rating_kriged: 7, user_titles: 3 }),
      explained({ edlae_score: 2, year: 2, rating_kriged: 7.9, user_titles: 4 }),
      spreads(list),
    )
    // Nothing of the user, nothing that stayed; nine tenths of a deviation before a half.
    expect(changes.map(({ name, size }) => [name, Math.round(size * 10) / 10])).toEqual([
      ['rating_kriged', 0.9],
      ['edlae_score', 0.5],
    ])
  })

  it('is listed once a channel, and not where the reader would see no difference', () => {
    const change = (name: string, before: number, after: number, size: number) => ({ name, before, after, size })
    const largest = mostTelling(
      [change('edlae_place', 2, 1, 3), change('edlae_score', 1, 2, 2), change('genre_share', 0.501, 0.502, 1), change('year_gap', 0, 1, 0.5)],
      3,
    )
    expect(largest.map(({ name }) => name)).toEqual(['edlae_place', 'year_gap'])
  })

  it('is nothing where a list came without the numbers', () => {
    expect(featureChanges(recommendation(1), recommendation(1), new Map())).toEqual([])
    expect(termChanges(recommendation(1), recommendation(1))).toEqual([])
  })

  it('is also what the score is the sum of', () => {
    const terms = termChanges(explained({}, { model: 1 }), explained({}, { model: 1.2, session: 0.5 }))
    expect(terms.map(({ name, before, after }) => [name, before, after])).toEqual([
      ['session', 0, 0.5],
      ['model', 1, 1.2],
    ])
  })
})

describe('a feature in words', () => {
  it('has a name and a value as a reader counts', async () => {
    await useArea('features', {
      en: () => import('@/locales/features.en.json'),
      ja: () => import('@/locales/features.ja.json'),
      zh: () => import('@/locales/features.zh.json'),
    })
    expect(featureName('item_knn_place')).toBe('Place by watched by the same people')
    expect(featureName('genre_share')).toBe('Share of your list in its genres')
    expect(featureName('of_next_year')).toBe('of next year')
    expect(shownFeature('edlae_place', Math.log1p(11))).toBe('12')
    expect(shownFeature('edlae_supporters', Math.log1p(3))).toBe('3')
    expect(shownFeature('like_kriged', 0.613)).toBe('61%')
    expect(shownFeature('rating_kriged', 8.25)).toBe('8.3')
    expect([-0.001, -0.5].map((value) => shownFeature('near_rating', value))).toEqual(['0', '-0.5'])
  })
})
