import { describe, expect, it } from 'vitest'

import { recommendation } from '@/testing'

import { compareLists, countChanges } from './listMoves'

const list = (...ids: number[]) => ids.map((id) => recommendation(id))

describe('compareLists', () => {
  it('finds what is new, what rose, what fell and what left', () => {
    const change = compareLists(list(1, 2, 3, 4), list(3, 1, 9, 2))
    expect(Object.fromEntries(change.moves)).toEqual({
      3: { kind: 'up', by: 2 },
      1: { kind: 'down', by: 1 },
      9: { kind: 'new' },
      2: { kind: 'down', by: 1 },
    })
    expect(change.removed.map(({ anime }) => anime.anime_id)).toEqual([4])
    expect(countChanges(change)).toBe('1 new, 1 rose, 2 fell, 1 left')
  })

  it('does not count the places a removed title frees as rising', () => {
    const change = compareLists(list(1, 2, 3), list(2, 3))
    expect(change.moves.size).toBe(0)
    expect(countChanges(change)).toBe('1 left')
  })

  it('puts the steepest first', () => {
    const change = compareLists(list(1, 2, 3, 4), list(4, 3, 1, 2))
    expect(change.rose.map(({ item, by }) => [item.anime.anime_id, by])).toEqual([
      [4, 3],
      [3, 1],
    ])
  })

  it('says when nothing moved', () => {
    expect(countChanges(compareLists(list(1), list(1)))).toBe('no change')
  })
})
