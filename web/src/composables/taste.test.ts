import { describe, expect, it } from 'vitest'

import type { HistoryItem } from '@/api/types'
import { animeCard } from '@/testing'

import { decadeBars, genreBars, ratingBars } from './taste'

const item = (fields: Partial<HistoryItem>, anime = {}): HistoryItem => ({
  anime: animeCard(anime),
  rating: null,
  status: null,
  reaction: null,
  clicked: false,
  dismissed: false,
  ...fields,
})

describe('taste', () => {
  it('counts ratings, every step shown', () => {
    const bars = ratingBars([item({ rating: 9 }), item({ rating: 9 }), item({ rating: 4 }), item({})])
    expect(bars).toHaveLength(10)
    expect(bars[8]).toEqual({ label: '9', count: 2, share: 1 })
    expect(bars[3]).toEqual({ label: '4', count: 1, share: 0.5 })
    expect(bars[0]?.count).toBe(0)
  })

  it('takes the genres of what was liked, the most first', () => {
    const bars = genreBars([
      item({ rating: 10 }, { genres: ['Drama', 'Action'] }),
      item({ reaction: 1 }, { genres: ['Drama'] }),
      item({ rating: 5 }, { genres: ['Comedy'] }),
    ])
    expect(bars.map(({ label, count }) => [label, count])).toEqual([
      ['Drama', 2],
      ['Action', 1],
    ])
  })

  it('takes the genres of everything where nothing was liked', () => {
    expect(genreBars([item({ rating: 5 }, { genres: ['Comedy'] })])[0]?.label).toBe('Comedy')
  })

  it('leaves no decade out between the first and the last', () => {
    expect(decadeBars([item({}, { year: 1988 }), item({}, { year: 2009 })]).map(({ label, count }) => [label, count])).toEqual([
      ['1980s', 1],
      ['1990s', 0],
      ['2000s', 1],
    ])
    expect(decadeBars([item({}, { year: null })])).toEqual([])
  })
})
