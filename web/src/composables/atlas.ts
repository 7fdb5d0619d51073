import type { Atlas } from '@/api/types'

/** What part of the map is shown: `x`, `y` (0 to 1) is in the middle of the screen, the map is `scale` pixels wide. */
export interface View {
  x: number
  y: number
  scale: number
}

export interface Size {
  width: number
  height: number
}

export const GRID = 4095
const MOST_ZOOM = 60

/** The whole map, with a margin. */
export const wholeMap = ({ width, height }: Size): View => ({ x: 0.5, y: 0.5, scale: Math.min(width, height) * 0.94 })

/** Keep the map within reach, and its scale within reason. */
export function withinReason(view: View, size: Size): View {
  const least = wholeMap(size).scale * 0.8
  const inside = (value: number) => Math.min(1, Math.max(0, value))
  return { x: inside(view.x), y: inside(view.y), scale: Math.min(least * MOST_ZOOM, Math.max(least, view.scale)) }
}

/** Zoom by `factor` so that what is under (`px`, `py`) stays there. */
export function zoomAt(view: View, size: Size, px: number, py: number, factor: number): View {
  const { scale } = withinReason({ ...view, scale: view.scale * factor }, size)
  const dx = px - size.width / 2
  const dy = py - size.height / 2
  return withinReason({ x: view.x + dx / view.scale - dx / scale, y: view.y + dy / view.scale - dy / scale, scale }, size)
}

/** Move by pixels. */
export const panBy = (view: View, size: Size, dx: number, dy: number): View =>
  withinReason({ ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale }, size)

/** Where a title is on the screen. */
export const onScreen = (atlas: Atlas, at: number, view: View, { width, height }: Size): [number, number] => [
  ((atlas.x[at] ?? 0) / GRID - view.x) * view.scale + width / 2,
  ((atlas.y[at] ?? 0) / GRID - view.y) * view.scale + height / 2,
]

/** The title nearest to a point of the screen, within `reach` pixels; -1 if there is none. */
export function nearest(atlas: Atlas, view: View, size: Size, px: number, py: number, reach = 14): number {
  let best = -1
  let least = reach * reach
  for (let at = 0; at < atlas.ids.length; at++) {
    const [x, y] = onScreen(atlas, at, view, size)
    const square = (x - px) ** 2 + (y - py) ** 2
    if (square < least) [best, least] = [at, square]
  }
  return best
}

/** The best known titles on the screen, with room for a label each; titles come best known first. */
export function labelled(atlas: Atlas, view: View, size: Size, most = 26): number[] {
  const taken = new Set<string>()
  const found: number[] = []
  for (let at = 0; at < atlas.ids.length && found.length < most; at++) {
    const [x, y] = onScreen(atlas, at, view, size)
    if (x < 0 || y < 12 || x > size.width - 60 || y > size.height - 12) continue
    const [column, row] = [Math.floor(x / 170), Math.floor(y / 34)]
    const cells = [0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => `${column + dx},${row + dy}`))
    if (cells.some((cell) => taken.has(cell))) continue
    taken.add(`${column},${row}`).add(`${column + 1},${row}`)
    found.push(at)
  }
  return found
}

/** Colours for the commonest genres, readable on light and dark; others are grey. */
const COLOURS = ['#e0533d', '#3d8fe0', '#2fa86b', '#d99a1c', '#a05fd6', '#e0609f', '#1fa5a8', '#8a8f2b', '#b5683a', '#6b77e0']
export const OTHER = '#858ca3'

/** The commonest first genres of the titles, each with its colour: genre's place → colour. */
export function genreColours(atlas: Atlas): Map<number, string> {
  const counts = new Map<number, number>()
  for (const genre of atlas.genre) if (genre >= 0) counts.set(genre, (counts.get(genre) ?? 0) + 1)
  const common = [...counts].sort(([a, m], [b, n]) => n - m || a - b).slice(0, COLOURS.length)
  return new Map(common.map(([genre], at) => [genre, COLOURS[at] ?? OTHER]))
}
