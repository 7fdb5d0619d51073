import { describe, expect, it } from 'vitest'

import type { Atlas } from '@/api/types'

import { genreColours, GRID, labelled, nearest, onScreen, panBy, wholeMap, zoomAt } from './atlas'

const size = { width: 800, height: 600 }
const atlas: Atlas = {
  version: 'm',
  genres: ['Action', 'Drama'],
  ids: [10, 20, 30],
  titles: ['A', 'B', 'C'],
  x: [0, GRID / 2, GRID / 2 + 8],
  y: [0, GRID / 2, GRID / 2],
  genre: [1, 1, -1],
  fame: [9, 5, 1],
}

describe('the atlas', () => {
  it('keeps what is under the pointer there while zooming', () => {
    const before = wholeMap(size)
    const [x, y] = onScreen(atlas, 1, before, size)
    const after = zoomAt(before, size, x, y, 3)
    expect(after.scale).toBeCloseTo(before.scale * 3)
    expect(onScreen(atlas, 1, after, size)[0]).toBeCloseTo(x)
    expect(onScreen(atlas, 1, after, size)[1]).toBeCloseTo(y)
  })

  it('moves with the pointer, and never out of reach', () => {
    const before = zoomAt(wholeMap(size), size, 400, 300, 4)
    const [x] = onScreen(atlas, 1, before, size)
    expect(onScreen(atlas, 1, panBy(before, size, 50, 0), size)[0]).toBeCloseTo(x + 50)
    expect(panBy(before, size, 1e6, 0).x).toBe(0)
    expect(zoomAt(before, size, 0, 0, 1e9).scale).toBeLessThan(1e5)
  })

  it('finds the title under the pointer, and none where there is none', () => {
    const [x, y] = onScreen(atlas, 1, wholeMap(size), size)
    expect(nearest(atlas, wholeMap(size), size, x + 0.2, y)).toBe(1)
    expect(nearest(atlas, wholeMap(size), size, 790, 10)).toBe(-1)
  })

  it('labels the better known of two that lie together', () => {
    expect(labelled(atlas, wholeMap(size), size)).toEqual([0, 1])
  })

  it('colours the commonest genres', () => {
    expect([...genreColours(atlas).keys()]).toEqual([1])
  })
})
