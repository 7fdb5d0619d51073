// The main views look as they did: against pictures of a stand-in service without events. GARS_WRITE_PICTURES=1 takes them anew.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

import { cards, launch, selectViewer, withPage } from './browser.mjs'
import { ADMIN } from './fake-operator.mjs'
import { createFakeService } from './fake-service.mjs'

const FOLDER = fileURLToPath(new URL('pictures/', import.meta.url))
/** Share of points that may differ: letters are drawn a little otherwise on every machine. */
const MOST = 0.04

const service = createFakeService()
let browser, base
before(async () => ([browser, base] = await Promise.all([launch(), service.listen()])))
after(() => Promise.all([browser.close(), service.close()]))

const VIEWS = {
  list: { path: '/', ready: (page) => cards(page).first() },
  anime: { path: '/anime/5114', ready: (page) => page.getByRole('list', { name: 'Similar anime' }) },
  you: { path: '/users/256', ready: (page) => page.getByRole('heading', { name: 'Themes' }) },
  group: { path: '/group?member=256&member=108', ready: (page) => page.getByRole('list', { name: 'For all of you' }) },
  explore: { path: '/explore', ready: (page) => page.locator('p:has-text("In view") a').first() },
  browse: { path: '/explore?genre=Drama&year_min=1998', ready: (page) => page.getByRole('list', { name: 'Titles that fit' }), at: 'Browse' },
  admin: { path: '/admin', ready: (page) => page.getByRole('region', { name: 'Models' }).getByText('serving') },
}

/** The share of points in which two pictures differ visibly. */
const difference = (page, one, two) =>
  page.evaluate(async (sources) => {
    const drawn = await Promise.all(
      sources.map(async (base64) => {
        const image = new Image()
        image.src = `data:image/png;base64,${base64}`
        await image.decode()
        const canvas = new OffscreenCanvas(image.width, image.height)
        const pen = canvas.getContext('2d')
        pen.drawImage(image, 0, 0)
        return pen.getImageData(0, 0, image.width, image.height)
      }),
    )
    const [a, b] = drawn
    if (a.width !== b.width || a.height !== b.height) return 1
    let differing = 0
    for (let at = 0; at < a.data.length; at += 4) {
      const apart = Math.abs(a.data[at] - b.data[at]) + Math.abs(a.data[at + 1] - b.data[at + 1]) + Math.abs(a.data[at + 2] - b.data[at + 2])
      if (apart > 96) differing += 1
    }
    return differing / (a.data.length / 4)
  }, [one, two].map((bytes) => bytes.toString('base64')))

describe('looks', { skip: process.env.GARS_URL_IS_REAL ? 'pictures are of the stand-in service' : false }, () => {
  for (const colorScheme of ['dark', 'light']) {
    for (const [name, { path, ready, at }] of Object.entries(VIEWS)) {
      it(`${name}, ${colorScheme}`, () =>
        withPage(browser, { base, colorScheme, viewport: { width: 1000, height: 700 }, deviceScaleFactor: 0.6, reducedMotion: 'reduce' }, async (page, { expect }) => {
          if (name === 'admin') expect(/Failed to load resource.*404/) // no A/B test runs
          await selectViewer(page, '256')
          await page.addInitScript((token) => sessionStorage.setItem('gars.admin-token', token), ADMIN)
          await page.goto(base + path)
          await ready(page).waitFor()
          await page.getByRole('button', { name: 'Settings' }).waitFor()
          if (at) await page.getByRole('heading', { name: at }).evaluate((heading) => heading.scrollIntoView())
          await page.evaluate(() => document.fonts.ready)
          const now = await page.screenshot()
          const file = `${FOLDER}${name}-${colorScheme}.png`
          if (process.env.GARS_WRITE_PICTURES) {
            mkdirSync(FOLDER, { recursive: true })
            writeFileSync(file, now)
          }
          assert.ok(existsSync(file), `no picture ${file}\n  → GARS_WRITE_PICTURES=1 npm run e2e -- looks.test.mjs`)
          const apart = await difference(page, readFileSync(file), now)
          assert.ok(apart <= MOST, `${(apart * 100).toFixed(1)} % of ${name} (${colorScheme}) look otherwise; if that is meant: GARS_WRITE_PICTURES=1 npm run e2e -- looks.test.mjs`)
        }))
    }
  }

  it('would be caught if they changed', () =>
    withPage(browser, { base }, async (page) => {
      await page.goto(base)
      const [one, two] = ['list-dark', 'list-light'].map((name) => readFileSync(`${FOLDER}${name}.png`))
      assert.ok((await difference(page, one, two)) > MOST)
      assert.equal(await difference(page, one, one), 0)
    }))
})
