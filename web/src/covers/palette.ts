import { contrast, toOklab, turnHue } from './colour'
import { seeded } from './seeded'

export type Motif =
  | 'rays'
  | 'petals'
  | 'orbits'
  | 'peaks'
  | 'rings'
  | 'dots'
  | 'waves'
  | 'bars'
  | 'lanes'
  | 'clouds'
  | 'horizon'

/** The colours of one drawn cover. `ink` on `paper` has at least the contrast of AA text (a test holds it). */
export interface Palette {
  paper: string
  deep: string
  main: string
  light: string
  ink: string
}

interface Style {
  /** The one of the genre first. */
  motifs: [Motif, Motif]
  palettes: Palette[]
}

const colours = (paper: string, deep: string, main: string, light: string, ink: string): Palette => ({
  paper,
  deep,
  main,
  light,
  ink,
})

const STYLES = {
  action: {
    motifs: ['rays', 'bars'],
    palettes: [
      colours('#1c1a2b', '#8f1d2c', '#e4472b', '#f8a33c', '#fff4e2'),
      colours('#e9482f', '#b02a20', '#f98b3d', '#ffd97a', '#26080a'),
      colours('#2a0e16', '#5c1526', '#c92f3f', '#f4c95d', '#ffeedd'),
    ],
  },
  romance: {
    motifs: ['petals', 'clouds'],
    palettes: [
      colours('#4a1735', '#7c2450', '#e85d75', '#f9b4ab', '#ffeee8'),
      colours('#f8cfd0', '#ef9aa5', '#d84a6b', '#fff1ea', '#4d1029'),
      colours('#2b2145', '#4a3670', '#c86bb0', '#f7c6d9', '#fdf1f8'),
    ],
  },
  space: {
    motifs: ['orbits', 'rings'],
    palettes: [
      colours('#0a1b33', '#12345f', '#2b86c9', '#67e0d8', '#eef9ff'),
      colours('#13233b', '#22406a', '#f2704b', '#9fd4ee', '#f4fbff'),
      colours('#dfe7ee', '#a9bfd1', '#23466b', '#e2603f', '#12253c'),
    ],
  },
  fantasy: {
    motifs: ['peaks', 'horizon'],
    palettes: [
      colours('#0f2f2c', '#1d5a4c', '#3f9d74', '#f0cf72', '#f9f5df'),
      colours('#1d2b52', '#344a86', '#7f8fd6', '#f4d68c', '#f6f2ff'),
      colours('#f0d9a8', '#b98a4b', '#47715f', '#d5623f', '#2b2413'),
    ],
  },
  dread: {
    motifs: ['rings', 'orbits'],
    palettes: [
      colours('#15101d', '#33184c', '#6f3aa6', '#c84b63', '#f1e8f7'),
      colours('#0f1518', '#1c3034', '#4f7d78', '#d9c27c', '#eff5f2'),
      colours('#1d0b10', '#45131d', '#a3202f', '#e6d8c8', '#f8ebe6'),
    ],
  },
  comedy: {
    motifs: ['dots', 'petals'],
    palettes: [
      colours('#f5c542', '#ee9d2b', '#ea5539', '#fff4d0', '#2f1d08'),
      colours('#7fd0c8', '#46aeb0', '#f2665a', '#fdf6e0', '#0c2b33'),
      colours('#f7b7a3', '#ee8a78', '#3a6ea5', '#fff6e9', '#3a1220'),
    ],
  },
  history: {
    motifs: ['waves', 'peaks'],
    palettes: [
      colours('#e9dcc1', '#cdb68d', '#9f3527', '#2f4a63', '#2a1f16'),
      colours('#1d2d44', '#2b4565', '#b5523b', '#e5d3ac', '#f7efdd'),
      colours('#243b2f', '#365c48', '#c9a14a', '#e9e0c4', '#f6f2e0'),
    ],
  },
  music: {
    motifs: ['bars', 'dots'],
    palettes: [
      colours('#2c164c', '#4d2a80', '#f25f9c', '#ffd166', '#fff3fa'),
      colours('#112a3d', '#1c4a63', '#2fb5b0', '#ffb84d', '#f1fbff'),
      colours('#f4e3c8', '#e4b98f', '#c93f5f', '#38406b', '#2a1a2e'),
    ],
  },
  sport: {
    motifs: ['lanes', 'rays'],
    palettes: [
      colours('#f08a3c', '#d9602b', '#233a66', '#fff0da', '#241104'),
      colours('#0f3f38', '#1a6253', '#f2a541', '#f4f1de', '#f8f5e6'),
      colours('#15306b', '#20479b', '#f25c3a', '#ffe2a8', '#f6f8ff'),
    ],
  },
  everyday: {
    motifs: ['clouds', 'horizon'],
    palettes: [
      colours('#b9dcec', '#86bddb', '#f2a27e', '#fdf9ef', '#10304a'),
      colours('#d3e5c4', '#a3c695', '#ef8f73', '#fffaf0', '#1c3524'),
      colours('#f5e2c4', '#e6bf8f', '#5d93a8', '#fffaf0', '#3b2a17'),
    ],
  },
  other: {
    motifs: ['horizon', 'waves'],
    palettes: [
      colours('#23304f', '#36497a', '#e0654a', '#f5c98b', '#f8f3ea'),
      colours('#e4e1d6', '#c3beac', '#d8503a', '#57708f', '#232323'),
      colours('#3a2a4d', '#574072', '#e58f65', '#f3dfc1', '#fbf4ee'),
    ],
  },
} satisfies Record<string, Style>

type StyleName = keyof typeof STYLES

// The most telling genre first: nearly everything is also Action or Comedy.
const STYLE_OF_GENRE: [genre: string, style: StyleName][] = [
  ['Music', 'music'],
  ['Sports', 'sport'],
  ['Cars', 'sport'],
  ['Mecha', 'space'],
  ['Space', 'space'],
  ['Horror', 'dread'],
  ['Psychological', 'dread'],
  ['Thriller', 'dread'],
  ['Suspense', 'dread'],
  ['Mystery', 'dread'],
  ['Samurai', 'history'],
  ['Historical', 'history'],
  ['Military', 'history'],
  ['Shoujo', 'romance'],
  ['Josei', 'romance'],
  ['Sci-Fi', 'space'],
  ['Vampire', 'dread'],
  ['Demons', 'dread'],
  ['Slice of Life', 'everyday'],
  ['Iyashikei', 'everyday'],
  ['Magic', 'fantasy'],
  ['Romance', 'romance'],
  ['Fantasy', 'fantasy'],
  ['Shounen', 'action'],
  ['Martial Arts', 'action'],
  ['Super Power', 'action'],
  ['Action', 'action'],
  ['Adventure', 'fantasy'],
  ['Supernatural', 'dread'],
  ['Comedy', 'comedy'],
  ['Parody', 'comedy'],
  ['School', 'everyday'],
  ['Kids', 'comedy'],
  ['Drama', 'history'],
]

/** Largest turn of a palette's hues, in radians: a shelf of one genre stays a family of colours. */
const WIDEST_TURN = 0.6
/** Chroma from which on a colour has a hue worth following. */
const COLOURFUL = 0.04

/**
 * How a cover of this anime is drawn. The most telling genre decides the colours, turned a little by the id; where the
 * colour of the real cover is known the hues follow it. The motif comes from that genre or another of the title's.
 */
export function coverStyle(
  animeId: number,
  genres: readonly string[],
  coverColour?: string,
): { motif: Motif; palette: Palette } {
  const named = STYLE_OF_GENRE.filter(([genre]) => genres.includes(genre)).map(([, style]) => STYLES[style])
  const styles: Style[] = named.length ? named : [STYLES.other]
  const [first] = styles as [Style]
  const motifs = [...new Set(styles.flatMap((style) => style.motifs))].slice(0, 6)
  const random = seeded(animeId)
  const palette = pick(first.palettes, random)
  const motif = pick(motifs, random)
  const turn = (2 * random() - 1) * WIDEST_TURN
  return { palette: turned(palette, coverColour === undefined ? turn : towards(palette.main, coverColour, turn)), motif }
}

/** The turn from one colour's hue to another's; `otherwise` where the other is nearly grey. */
function towards(from: string, to: string, otherwise: number): number {
  const [, a, b] = toOklab(to)
  const [, fromA, fromB] = toOklab(from)
  return Math.hypot(a, b) < COLOURFUL ? otherwise : Math.atan2(b, a) - Math.atan2(fromB, fromA)
}

/** The palette with its hues turned. Letters keep their colour, or are black or white where that reads badly. */
export function turned({ paper, deep, main, light, ink }: Palette, radians: number): Palette {
  const turn = (colour: string) => turnHue(colour, radians)
  const ground = turn(paper)
  return { paper: ground, deep: turn(deep), main: turn(main), light: turn(light), ink: readable(ink, ground) }
}

function readable(ink: string, paper: string): string {
  if (contrast(ink, paper) >= 4.5) return ink
  return contrast('#000000', paper) > contrast('#ffffff', paper) ? '#000000' : '#ffffff'
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T
}

/** Every palette there is, for the test of their contrast. */
export const allPalettes: readonly Palette[] = Object.values(STYLES).flatMap((style) => style.palettes)
