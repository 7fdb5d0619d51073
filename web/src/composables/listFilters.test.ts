import { describe, expect, it } from 'vitest'

import { filtersFrom, queryOf } from './listFilters'

describe('filters in the address', () => {
  it('come back as they were written', () => {
    const filters = { genre: ['Action', 'Sci-Fi'], type: ['TV'], year_min: 1990, hide_sequels: false }
    expect(filtersFrom(queryOf(filters))).toEqual(filters)
  })

  it('take one word as a list of one', () => {
    expect(filtersFrom({ genre: 'Action' })).toEqual({ genre: ['Action'] })
  })

  it('leave out what they do not understand', () => {
    expect(filtersFrom({ year_min: 'soon', adult: 'maybe', genre: [null], other: 'x' })).toEqual({})
  })
})
