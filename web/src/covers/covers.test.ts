import { describe, expect, it } from 'vitest'

import { draw } from './motifs'
import { allPalettes, coverStyle } from './palette'
import { seeded, seedOf } from './seeded'

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

function contrast(one: string, two: string): number {
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe('drawn covers', () => {
  it('have titles with the contrast of AA text', () => {
    for (const { ink, paper } of allPalettes) expect(contrast(ink, paper), `${ink} on ${paper}`).toBeGreaterThan(4.5)
  })

  it('are the same for the same title, and differ between titles', () => {
    const picture = (id: number) => {
      const { motif, palette } = coverStyle(id, ['Action', 'Space'])
      return JSON.stringify(draw(motif, seeded(id), palette))
    }
    expect(picture(1)).toBe(picture(1))
    expect(new Set([1, 2, 3, 4, 5].map(picture)).size).toBe(5)
  })

  it('take their colours from the most telling genre, whatever the order', () => {
    for (const id of [1, 2, 3, 4, 5, 6]) {
      const sport = coverStyle(id, ['Sports']).palette
      expect(coverStyle(id, ['Action', 'Comedy', 'Sports']).palette).toEqual(sport)
      expect(coverStyle(id, ['Sports', 'Action']).palette).toEqual(sport)
    }
  })

  it('take their motif from one of the genres', () => {
    const motifs = (genres: string[]) => new Set(Array.from({ length: 50 }, (_, id) => coverStyle(id, genres).motif))
    expect(motifs(['Action', 'Sports'])).toEqual(new Set(['lanes', 'rays']))
    expect(motifs([])).toEqual(new Set(['horizon']))
  })

  it('draw every motif with numbers SVG understands', () => {
    for (const genre of ['Action', 'Romance', 'Space', 'Fantasy', 'Horror', 'Comedy', 'Historical', 'Music', 'Sports', 'Slice of Life', 'Unheard of']) {
      const { motif, palette } = coverStyle(7, [genre])
      const shapes = draw(motif, seeded(7), palette)
      expect(shapes.length).toBeGreaterThan(1)
      for (const { d } of shapes) expect(d).toMatch(/^[-\d. MLQVHazhvl]+$/)
    }
  })
})

describe('seeded', () => {
  it('spreads over the unit interval', () => {
    const values = Array.from({ length: 1000 }, (_, seed) => seeded(seed)())
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    expect(values.reduce((sum, value) => sum + value, 0) / 1000).toBeCloseTo(0.5, 1)
  })

  it('gives texts different seeds', () => {
    expect(seedOf('a')).not.toBe(seedOf('b'))
  })
})
