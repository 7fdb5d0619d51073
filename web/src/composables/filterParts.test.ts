import { beforeAll, describe, expect, it, vi } from 'vitest'

import type { ListFilters } from '@/api/types'
import { ready, useArea } from '@/i18n'

import { filterParts, loosen, rangeText } from './filterParts'

beforeAll(async () => {
  await ready
  await useArea('filters', {
    en: () => import('@/locales/filters.en.json'),
    ja: () => import('@/locales/filters.ja.json'),
    zh: () => import('@/locales/filters.zh.json'),
  })
})

const texts = (filters: ListFilters, together = false) => filterParts(filters, together).map(({ text }) => text)

describe('filters in words', () => {
  it('read as what they do', () => {
    expect(texts({ type: ['Movie'], exclude_genre: ['Horror'], tag: ['Time Travel'], exclude_tag: ['Gore'], studio: ['Bones'], site: ['Netflix'] })).toEqual([
      'Movie', 'Not Horror', 'Tag: Time Travel', 'Not Gore', 'Studio: Bones', 'On: Netflix',
    ])
    expect(texts({ year_min: 1990, year_max: 1999, episodes_min: 12, episodes_max: 12, duration_max: 10, min_members: 5000, min_score: 7.5, hide_sequels: false })).toEqual([
      'Years: 1990 to 1999', 'Episodes: 12', 'Minutes an episode: up to 10', 'People who watch it: at least 5,000', 'Score: at least 7.5', 'Sequels hidden: no',
    ])
    expect(rangeText(undefined, undefined)).toBe('any')
  })

  it('are taken away one by one, a range as a whole', () => {
    const [first, second, years] = filterParts({ genre: ['Action', 'Drama'], year_min: 1990, year_max: 1999 })
    expect([first?.without, second?.without]).toEqual([{ genre: ['Drama'] }, { genre: ['Action'] }])
    expect(years?.without).toEqual({ year_min: undefined, year_max: undefined })
  })
})

describe('loosening', () => {
  it('finds which filter is in the way, the one that gains most first', async () => {
    const filters = { genre: ['Action', 'Drama'], studio: ['Bones', 'MAPPA'], year_max: 1950, min_members: 0 }
    const count = vi.fn((without: ListFilters) => Promise.resolve(without.year_max === undefined ? 7 : without.studio === undefined ? 9 : 0))
    const ways = await loosen(filters, count)
    expect(ways.map(({ text, found }) => [text, found])).toEqual([
      ['Without “Studio: Bones or Studio: MAPPA”', 9],
      ['Without “Years: up to 1950”', 7],
    ])
    expect(count).toHaveBeenCalledTimes(5) // the two studios go together, as either is enough
  })

  it('offers the little known where only their number is in the way', async () => {
    const ways = await loosen({ tag: ['Rakugo'] }, ({ min_members, tag }) => Promise.resolve(tag && min_members === 0 ? 1 : 0))
    expect(ways).toEqual([{ key: 'little', text: 'Include the little known', changes: { min_members: 0 }, found: 1 }])
  })
})
