import { describe, expect, it } from 'vitest'

import { contrast, toOklab, turnHue } from './colour'
import { draw } from './motifs'
import { allPalettes, coverStyle, turned } from './palette'
import { seeded, seedOf } from './seeded'

describe('drawn covers', () => {
  it('have titles with the contrast of AA text', () => {
    for (const palette of allPalettes)
      for (let degrees = 0; degrees < 360; degrees += 10) {
        const { ink, paper } = turned(palette, (degrees * Math.PI) / 180)
        expect(contrast(ink, paper), `${ink} on ${paper}`).toBeGreaterThanOrEqual(4.5)
      }
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
      const { paper } = coverStyle(id, ['Sports'], '#808080').palette
      const lightness = (genres: string[]) => toOklab(coverStyle(id, genres, '#808080').palette.paper)[0]
      expect(lightness(['Action', 'Comedy', 'Sports'])).toBeCloseTo(toOklab(paper)[0], 2)
      expect(lightness(['Sports', 'Action'])).toBeCloseTo(toOklab(paper)[0], 2)
    }
  })

  it('take their motif from one of the genres', () => {
    const motifs = (genres: string[]) => new Set(Array.from({ length: 80 }, (_, id) => coverStyle(id, genres).motif))
    expect(motifs(['Action', 'Sports'])).toEqual(new Set(['lanes', 'rays', 'bars']))
    expect(motifs([])).toEqual(new Set(['horizon', 'waves']))
  })

  it('follow the hue of the real cover where it is known', () => {
    const hue = (colour: string) => {
      const [, a, b] = toOklab(colour)
      return Math.atan2(b, a)
    }
    for (const colour of ['#e45093', '#c9f1f1', '#e4bb50', '#2b86c9'])
      for (const id of [1, 2, 3, 4]) {
        const { main } = coverStyle(id, ['Action'], colour).palette
        expect(Math.cos(hue(main) - hue(colour))).toBeGreaterThan(0.97)
      }
  })

  it('are rarely alike beside each other, even of one genre', () => {
    const alike = (one: ReturnType<typeof coverStyle>, other: ReturnType<typeof coverStyle>) => {
      const distance = (name: 'paper' | 'deep' | 'main' | 'light') => {
        const [a, b] = [toOklab(one.palette[name]), toOklab(other.palette[name])]
        return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
      }
      return one.motif === other.motif && Math.max(...(['paper', 'deep', 'main', 'light'] as const).map(distance)) < 0.02
    }
    const inARow = 6
    let rows = 0
    for (let start = 1; start <= 3000; start += inARow) {
      const row = Array.from({ length: inARow }, (_, place) => coverStyle(start + place, ['Action', 'Comedy']))
      if (row.some((one, at) => row.slice(at + 1).some((other) => alike(one, other)))) rows++
    }
    expect(rows / (3000 / inARow)).toBeLessThan(0.2)
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

describe('colours', () => {
  it('have another hue and the same lightness once turned', () => {
    expect(turnHue('#e4472b', 0)).toBe('#e4472b')
    for (const colour of ['#e4472b', '#0a1b33', '#f5c542']) {
      const other = turnHue(colour, Math.PI / 2)
      expect(other).not.toBe(colour)
      expect(toOklab(other)[0]).toBeCloseTo(toOklab(colour)[0], 1)
    }
  })
})
