import type { Motif, Palette } from './palette'

/** The canvas every cover is drawn on; the upper two thirds are the picture, the title stands below. */
export const WIDTH = 200
export const HEIGHT = 300

/** One SVG path of a drawn cover. */
export interface Shape {
  d: string
  fill?: string
  stroke?: string
  width?: number
  opacity?: number
}

type Draw = (random: () => number, palette: Palette) => Shape[]

const round = (value: number) => Math.round(value * 10) / 10
const between = (random: () => number, low: number, high: number) => low + random() * (high - low)
const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

function circle(x: number, y: number, radius: number): string {
  const [cx, cy, r] = [round(x), round(y), round(radius)]
  return `M${cx - r} ${cy}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`
}

// Turned the same way as the circles: where the two overlap in one path nothing is cut out.
const rectangle = (x: number, y: number, width: number, height: number) =>
  `M${round(x)} ${round(y)}v${round(height)}h${round(width)}v${round(-height)}z`

/** Speed lines out of one point, as in a fight panel. */
const rays: Draw = (random, { deep, main, light }) => {
  const [x, y] = [between(random, 30, 170), between(random, 50, 140)]
  const count = Math.round(between(random, 11, 24))
  const core = between(random, 26, 58)
  const turn = random() * Math.PI
  const wedges = times(count, (index) => {
    const from = turn + (index / count) * 2 * Math.PI
    const to = from + between(random, 0.06, 0.22)
    const point = (angle: number) => `${round(x + 340 * Math.cos(angle))} ${round(y + 340 * Math.sin(angle))}`
    return `M${round(x)} ${round(y)}L${point(from)}L${point(to)}z`
  }).join('')
  return [
    { d: wedges, fill: deep },
    { d: circle(x, y, core), fill: main },
    { d: circle(x, y, core * between(random, 0.45, 0.75)), fill: light },
  ]
}

/** A low sun and falling petals. */
const petals: Draw = (random, { deep, main, light }) => {
  const falling = times(13, () => {
    const [x, y, size] = [between(random, 0, 200), between(random, 0, 215), between(random, 5, 13)]
    const angle = random() * Math.PI * 2
    const [dx, dy] = [size * Math.cos(angle), size * Math.sin(angle)]
    const tip = `${round(x + dx)} ${round(y + dy)}`
    const side = (sign: number) => `${round(x + dx / 2 - sign * dy * 0.55)} ${round(y + dy / 2 + sign * dx * 0.55)}`
    return `M${round(x)} ${round(y)}Q${side(1)} ${tip}Q${side(-1)} ${round(x)} ${round(y)}z`
  }).join('')
  const [x, size] = [between(random, 30, 170), between(random, 62, 108)]
  return [
    { d: circle(x, 116, size), fill: deep },
    { d: circle(x + between(random, -20, 20), 106, size * between(random, 0.45, 0.75)), fill: main },
    { d: falling, fill: light },
  ]
}

/** A planet, its rings and stars. */
const orbits: Draw = (random, { deep, main, light }) => {
  const [x, y] = [between(random, 20, 180), between(random, 50, 150)]
  const ring = (radius: number) => circle(x, y, radius)
  const planet = between(random, 22, 52)
  const moon = (radius: number) => {
    const angle = random() * Math.PI * 2
    return circle(x + radius * Math.cos(angle), y + radius * Math.sin(angle), between(random, 3, 7))
  }
  const stars = times(26, () => circle(random() * 200, random() * 230, between(random, 0.5, 1.4))).join('')
  return [
    { d: ring(150), fill: deep, opacity: 0.5 },
    { d: stars, fill: light, opacity: 0.7 },
    { d: ring(62) + ring(88) + ring(118), stroke: light, width: 1, opacity: 0.55 },
    { d: ring(planet), fill: main },
    { d: moon(62) + moon(88) + moon(118), fill: light },
  ]
}

/** Ranges of mountains before a moon. */
const peaks: Draw = (random, { deep, main, light }) => {
  const range = (base: number, height: number, steps: number) => {
    const tops = times(steps + 1, (index) => {
      const y = index % 2 ? base - between(random, 0.55, 1) * height : base - between(random, 0, 0.3) * height
      return `L${round((index * 200) / steps)} ${round(y)}`
    })
    return `M0 300${tops.join('')}L200 300z`
  }
  return [
    { d: circle(between(random, 45, 155), between(random, 48, 84), between(random, 20, 34)), fill: light },
    { d: range(190, between(random, 70, 130), Math.round(between(random, 3, 6))), fill: main, opacity: 0.75 },
    { d: range(215, between(random, 50, 95), Math.round(between(random, 5, 9))), fill: deep },
  ]
}

/** Rings that tighten on something watching. */
const rings: Draw = (random, { deep, main, light }) => {
  const [x, y] = [between(random, 60, 140), between(random, 80, 130)]
  const drift = between(random, -3, 3)
  const gap = between(random, 12, 22)
  const circles = times(11, (index) => circle(x + drift * index, y, 24 + index * gap)).join('')
  const pupil = `M${round(x)} ${round(y - 13)}Q${round(x + 5)} ${round(y)} ${round(x)} ${round(y + 13)}Q${round(x - 5)} ${round(y)} ${round(x)} ${round(y - 13)}z`
  if (random() < 0.5) {
    // No eye, only the pull.
    return [
      { d: circle(x, y, 130), fill: deep, opacity: 0.65 },
      { d: circles, stroke: main, width: gap / 2, opacity: 0.75 },
      { d: circle(x, y, 17), fill: light },
    ]
  }
  const eye = `M${round(x - 44)} ${round(y)}Q${round(x)} ${round(y - 44)} ${round(x + 44)} ${round(y)}Q${round(x)} ${round(y + 44)} ${round(x - 44)} ${round(y)}z`
  return [
    { d: circle(x, y, 130), fill: deep, opacity: 0.65 },
    { d: circles, stroke: main, width: 4, opacity: 0.6 },
    { d: eye, fill: main },
    { d: circle(x, y, 17), fill: light },
    { d: pupil, fill: deep },
  ]
}

/** Halftone dots and two balloons. */
const dots: Draw = (random, { deep, main, light }) => {
  const [x, y] = [between(random, 40, 160), between(random, 60, 140)]
  const [cols, rows] = [13, 16]
  const halftone = times(cols * rows, (index) => {
    const [cx, cy] = [(index % cols) * 17, Math.floor(index / cols) * 17]
    const radius = 7.5 - Math.hypot(cx - x, cy - y) / 26
    return radius > 0.8 ? circle(cx, cy, radius) : ''
  }).join('')
  return [
    { d: halftone, fill: deep },
    { d: circle(x, y, between(random, 46, 58)), fill: main },
    { d: circle(x + between(random, 24, 40), y - between(random, 20, 36), between(random, 18, 28)), fill: light },
  ]
}

/** Seigaiha, the wave pattern of kimono cloth, under a sun. */
const waves: Draw = (random, { paper, deep, main, light }) => {
  const size = between(random, 20, 44)
  const sun = { d: circle(between(random, 40, 160), between(random, 56, 90), between(random, 26, 56)), fill: main }
  const scale = (row: number, column: number): Shape[] => {
    const [cx, cy] = [column * size + (row % 2 ? size / 2 : 0), 142 + row * (size / 4)]
    return [
      { d: circle(cx, cy, size / 2), fill: light },
      { d: circle(cx, cy, size / 2 - 1.6), fill: paper },
      { d: circle(cx, cy, size / 3.1), fill: deep },
      { d: circle(cx, cy, size / 6), fill: paper },
    ]
  }
  const columns = Math.ceil(200 / size) + 1
  return [sun, ...times(16 * columns, (index) => scale(Math.floor(index / columns), index % columns)).flat()]
}

/** An equaliser and its record. */
const bars: Draw = (random, { deep, main, light }) => {
  const phase = random() * 6
  const bar = (index: number) => {
    const height = 34 + 58 * Math.abs(Math.sin(phase + index * 0.55)) + random() * 26
    return rectangle(6 + index * 15.8, 205 - height, 10, height)
  }
  const x = between(random, 70, 130)
  return [
    { d: circle(x, 84, 66), fill: deep },
    { d: circle(x, 84, 52) + circle(x, 84, 40), stroke: light, width: 0.8, opacity: 0.4 },
    { d: circle(x, 84, 20), fill: light },
    { d: times(12, bar).join(''), fill: main },
  ]
}

/** The lanes of a track, and the ball or the wheel on it. */
const lanes: Draw = (random, { deep, main, light }) => {
  const lean = between(random, -110, 110)
  const lane = (index: number) => {
    const [from, to] = [100 + (index - 3) * 14, 100 + lean + (index - 3) * 92]
    return `M${round(from)} 40L${round(to)} 300h14L${round(from + 3)} 40z`
  }
  return [
    { d: rectangle(0, 92, 200, 210), fill: deep },
    { d: times(7, lane).join(''), fill: light, opacity: 0.55 },
    { d: circle(100 + lean / 4, 92, between(random, 40, 54)), fill: main },
  ]
}

/** Summer clouds over a roof line. */
const clouds: Draw = (random, { deep, main, light }) => {
  const cloud = (x: number, y: number, size: number) =>
    circle(x, y, size) + circle(x + size * 1.1, y + size * 0.2, size * 0.8) + circle(x - size * 1.1, y + size * 0.3, size * 0.7) + rectangle(x - size * 1.7, y + size * 0.2, size * 3.5, size * 0.8)
  const roofs = times(6, (index) => {
    const [x, top] = [index * 36 - 8, between(random, 172, 200)]
    return `M${round(x)} 300V${round(top)}l21 ${round(-between(random, 10, 20))}l21 16V300z`
  }).join('')
  return [
    { d: circle(between(random, 40, 160), between(random, 48, 70), 26), fill: main },
    { d: cloud(between(random, 40, 80), between(random, 90, 110), 22), fill: light },
    { d: cloud(between(random, 120, 165), between(random, 126, 150), 16), fill: light, opacity: 0.85 },
    { d: roofs, fill: deep },
  ]
}

/** A sun cut by the horizon. */
const horizon: Draw = (random, { deep, main, light }) => {
  const [x, y, radius] = [between(random, 70, 130), between(random, 96, 120), between(random, 52, 66)]
  const cuts = times(6, (index) => rectangle(0, y + 6 + index * 10, 200, 1.5 + index * 1.1)).join('')
  return [
    { d: circle(x, y, radius), fill: main },
    { d: cuts, fill: deep },
    { d: rectangle(0, y + radius + 6, 200, 200), fill: deep },
    { d: circle(x + between(random, -60, 60), 40, 4) + circle(between(random, 20, 180), 60, 2.4), fill: light },
  ]
}

const DRAW: Record<Motif, Draw> = { rays, petals, orbits, peaks, rings, dots, waves, bars, lanes, clouds, horizon }

/** The picture of a cover, back to front; the same numbers give the same picture. */
export function draw(motif: Motif, random: () => number, palette: Palette): Shape[] {
  return DRAW[motif](random, palette)
}
