import type { AnimeCard } from '@/api/types'
import { draw, HEIGHT, WIDTH } from '@/covers/motifs'
import { coverStyle } from '@/covers/palette'
import { seeded } from '@/covers/seeded'

import { shownTitle } from './titles'

export const CARD = { width: 1200, height: 630 } as const
const FONT = "'Bricolage', 'Hiragino Sans', 'Noto Sans CJK JP', system-ui, sans-serif"
const WIDE = /[\u3000-\u9fff\uff00-\uffef]/

/** Break a text into at most `most` lines of a width; what does not fit ends with an ellipsis. */
export function lines(text: string, fits: (line: string) => boolean, most: number): string[] {
  // Japanese and Chinese break between any two letters.
  const parts = WIDE.test(text) ? [...text] : text.split(/(?<=[\s-])/)
  const found: string[] = []
  let line = ''
  for (const part of parts) {
    if (line && !fits((line + part).trimEnd())) {
      found.push(line.trimEnd())
      line = ''
    }
    line += part
  }
  if (line) found.push(line.trimEnd())
  if (found.length <= most) return found
  let last = found[most - 1] ?? ''
  while (last && !fits(`${last}…`)) last = last.slice(0, -1).trimEnd()
  return [...found.slice(0, most - 1), `${last}…`]
}

/** Draw a cover as the page draws it, with its title. */
function drawCover(pen: CanvasRenderingContext2D, anime: AnimeCard, x: number, y: number, width: number) {
  const height = (width * HEIGHT) / WIDTH
  const { motif, palette } = coverStyle(anime.anime_id, anime.genres)
  pen.save()
  pen.translate(x, y)
  pen.beginPath()
  pen.roundRect(0, 0, width, height, 14)
  pen.clip()
  pen.fillStyle = palette.paper
  pen.fillRect(0, 0, width, height)
  pen.save()
  pen.scale(width / WIDTH, width / WIDTH)
  for (const shape of draw(motif, seeded(anime.anime_id + 1), palette)) {
    const path = new Path2D(shape.d)
    pen.globalAlpha = Number(shape.opacity ?? 1)
    if (shape.fill) {
      pen.fillStyle = shape.fill
      pen.fill(path)
    }
    if (shape.stroke) {
      pen.strokeStyle = shape.stroke
      pen.lineWidth = Number(shape.width ?? 1)
      pen.stroke(path)
    }
  }
  pen.restore()
  const size = Math.round(width * 0.115)
  pen.font = `800 ${size}px ${FONT}`
  const title = lines(shownTitle(anime).text, (line) => pen.measureText(line).width <= width * 0.87, 4)
  const foot = Math.max(width * 0.44, title.length * size * 1.08 + width * 0.12)
  pen.fillStyle = palette.paper
  pen.fillRect(0, height - foot, width, foot)
  pen.fillStyle = palette.ink
  pen.textBaseline = 'alphabetic'
  title.forEach((line, at) => pen.fillText(line, width * 0.065, height - width * 0.07 - (title.length - 1 - at) * size * 1.08))
  pen.restore()
}

/** Draw the card: a heading, a line below it, and up to five titles. Nothing is loaded: the covers are drawn. */
export async function drawShareCard(canvas: HTMLCanvasElement, { heading, text, anime }: { heading: string; text: string; anime: readonly AnimeCard[] }) {
  const pen = canvas.getContext('2d')
  if (!pen) return
  canvas.width = CARD.width
  canvas.height = CARD.height
  await document.fonts.load(`800 40px 'Bricolage'`).catch(() => undefined)
  pen.fillStyle = '#0e1019'
  pen.fillRect(0, 0, CARD.width, CARD.height)
  pen.fillStyle = '#d8402a'
  pen.beginPath()
  pen.roundRect(56, 48, 56, 56, 14)
  pen.fill()
  pen.fillStyle = '#fff'
  pen.beginPath()
  pen.arc(84, 73, 11.4, 0, 2 * Math.PI)
  pen.fill()
  pen.fillRect(65, 84, 38, 3.5)
  pen.fillRect(71, 91, 26, 3.5)
  pen.fillStyle = '#eef0f8'
  pen.textBaseline = 'alphabetic'
  pen.font = `800 54px ${FONT}`
  pen.fillText(lines(heading, (line) => pen.measureText(line).width <= 1010, 1)[0] ?? '', 134, 95)
  pen.fillStyle = '#a3aac4'
  pen.font = `600 27px ${FONT}`
  pen.fillText(lines(text, (line) => pen.measureText(line).width <= 1088, 1)[0] ?? '', 56, 160)
  const [gap, width] = [20, 201.6]
  anime.slice(0, 5).forEach((one, at) => drawCover(pen, one, 56 + at * (width + gap), 208, width))
  pen.fillStyle = '#a3aac4'
  pen.font = `600 22px ${FONT}`
  pen.fillText('GARS', 56, 584)
}
