import { describe, expect, it } from 'vitest'

import type { HistoryItem } from '@/api/types'
import { animeCard } from '@/testing'

import { differences, favouriteDecade, isLiked, ratingBarsOf } from './taste'

const held = (year: number | null, rating: number | null = null): HistoryItem => ({
  anime: animeCard({ year }),
  rating,
  status: null,
  reaction: null,
  seen: false,
  clicked: false,
  dismissed: false,
})
const share = (name: string, own: number, others: number) => ({ name, titles: 1, liked: 0, share: own, others })

describe('taste', () => {
  it('counts every rating, in parts of the commonest', () => {
    expect(ratingBarsOf([0, 4, 2])).toEqual([
      { label: '1', count: 0, share: 0 },
      { label: '2', count: 4, share: 1 },
      { label: '3', count: 2, share: 0.5 },
    ])
  })

  it('finds what differs most from others, in either direction, and leaves out what does not', () => {
    const shares = [share('Drama', 0.5, 0.45), share('Mecha', 0.3, 0.1), share('Romance', 0.05, 0.25), share('New', 0.2, 0)]
    expect(differences(shares).map(({ name }) => name)).toEqual(['Romance', 'Mecha'])
    expect(differences(shares)[1]?.times).toBeCloseTo(3)
  })

  it('knows the decade most liked titles are of', () => {
    expect(favouriteDecade([held(1995, 9), held(1998, 8), held(2011, 9), held(2012, 3), held(2013, 3), held(2014, 3)])).toBe(1990)
    expect(favouriteDecade([held(2012), held(1999)])).toBe(2010)
    expect(favouriteDecade([held(null, 9)])).toBeNull()
  })

  it('knows what was liked: the word, else the rating, else that it was finished', () => {
    const none = { rating: null, reaction: null, status: null }
    expect([{ ...none, rating: 8 }, { ...none, reaction: 1, rating: 3 }, { ...none, status: 'completed' }].map(isLiked)).toEqual([true, true, true])
    expect([none, { ...none, rating: 7, status: 'completed' }, { ...none, reaction: -1, rating: 9 }].map(isLiked)).toEqual([false, false, false])
  })
})
