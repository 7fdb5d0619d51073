// A reader's way through the page, filmed as a list of steps with times.
import { mkdirSync } from 'node:fs'

/** How long a reader looks before they act. */
const PACE_MS = Number(process.env.GARS_PACE_MS ?? 0)

/**
 * Film `name` on `page`: `act` is something a reader does, after looking for GARS_PACE_MS; `see` is something they wait
 * for. With GARS_FILM set, a picture of every step is written to that folder.
 */
export function film(page, name) {
  const start = performance.now()
  const steps = []

  async function note(step) {
    steps.push({ step, at: performance.now() - start })
    if (!process.env.GARS_FILM) return
    mkdirSync(process.env.GARS_FILM, { recursive: true })
    await page.screenshot({ path: `${process.env.GARS_FILM}/${name}-${steps.length}.png` })
  }

  return {
    act: async (step, action) => {
      await new Promise((resolve) => setTimeout(resolve, PACE_MS))
      await action()
      await note(step)
    },
    see: async (step, wait) => {
      await wait()
      await note(step)
    },
    /** The names of the steps taken; the times are printed, since they depend on the machine. */
    cut: () => {
      console.log(`${name}, ${PACE_MS} ms of looking before each act:`)
      for (const { step, at } of steps) console.log(`  ${(at / 1000).toFixed(2).padStart(6)} s  ${step}`)
      return steps.map(({ step }) => step)
    },
  }
}
