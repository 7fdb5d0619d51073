import { describe, expect, it } from 'vitest'

import type { ListFilters } from '@/api/types'

import { filtersFrom, queryOf } from './listFilters'

describe('filters in the address', () => {
  it('come back as they were written', () => {
    const filters: Required<Omit<ListFilters, 'niche' | 'diversity'>> = {
      type: ['TV'],
      genre: ['Action', 'Sci-Fi'],
      exclude_genre: ['Horror'],
      tag: ['Time Travel'],
      exclude_tag: ['Gore'],
      studio: ['A-1 Pictures'],
      source: ['Manga'],
      site: ['Netflix'],
      year_min: 1990,
      year_max: 2000,
      episodes_min: 11,
      episodes_max: 26,
      duration_min: 20,
      duration_max: 30,
      min_members: 0,
      max_members: 10_000,
      min_score: 7.25,
      hide_sequels: false,
      one_per_franchise: false,
      hide_dropped_franchises: true,
      hide_dropped_series: false,
      hide_specials: false,
      adult: true,
    }
    expect(filtersFrom(queryOf(filters))).toEqual(filters)
  })

  it('take one word as a list of one', () => {
    expect(filtersFrom({ genre: 'Action' })).toEqual({ genre: ['Action'] })
  })

  it('leave out what they do not understand', () => {
    expect(filtersFrom({ year_min: 'soon', adult: 'maybe', episodes_max: '12.5', genre: [null], other: 'x' })).toEqual({})
  })
})
