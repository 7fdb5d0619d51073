// Cover images: asked for first, drawn until they are there, never from another site.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'

import { launch, selectViewer, withPage } from './browser.mjs'
import { createFakeService } from './fake-service.mjs'

/** A PNG of one colour, 2:3. */
function png(red, green, blue) {
  const crcOf = (bytes) => {
    let crc = ~0
    for (const byte of bytes) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
    }
    return ~crc >>> 0
  }
  const chunk = (kind, content) => {
    const body = Buffer.concat([Buffer.from(kind), content])
    const [size, crc] = [Buffer.alloc(4), Buffer.alloc(4)]
    size.writeUInt32BE(content.length)
    crc.writeUInt32BE(crcOf(body))
    return Buffer.concat([size, body, crc])
  }
  const header = Buffer.from([0, 0, 0, 20, 0, 0, 0, 30, 8, 2, 0, 0, 0])
  const row = Buffer.concat([Buffer.from([0]), Buffer.from(Array.from({ length: 20 }, () => [red, green, blue]).flat())])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: 30 }, () => row)))
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

/** Opened by a test that wants to see the page while covers are on their way. */
let gate = Promise.resolve()
let asked = []
const FAILS = 1535
const service = createFakeService({
  covers: 'ask',
  coverOf: async (id) => {
    asked.push(id)
    await gate
    return id === FAILS ? null : png((id * 37) % 256, (id * 91) % 256, 160)
  },
})
let browser, base
before(async () => ([browser, base] = await Promise.all([launch(), service.listen()])))
after(() => Promise.all([browser.close(), service.close()]))

const question = (page) => page.getByRole('region', { name: 'Show the real covers?' })
const images = (page) => page.locator('main img')
const options = (more = {}) => ({ base, asksForCovers: true, ...more })

describe('covers', { skip: process.env.GARS_URL_IS_REAL ? 'the images are those of the stand-in service' : false }, () => {
  it('are asked for from the first paint: nothing moves when the question comes', () =>
    withPage(browser, options(), async (page) => {
      await page.addInitScript(() => {
        const look = () => {
          if (document.querySelector('h1')) window.firstFrame = document.querySelector('#covers-question') === null ? 'without' : 'with the question'
          else requestAnimationFrame(look)
        }
        requestAnimationFrame(look)
      })
      await page.goto(base + '/')
      await question(page).waitFor()
      assert.equal(await page.evaluate(() => window.firstFrame), 'with the question')
    }))

  it('do not keep the page from readers while the service says nothing of itself', () =>
    withPage(browser, options(), async (page) => {
      let answer
      const answered = new Promise((resolve) => (answer = resolve))
      await page.route('**/api/v1/about', async (route) => {
        await answered
        await route.continue()
      })
      await page.goto(base + '/')
      await page.getByRole('list', { name: 'Titles to pick from' }).getByRole('button').first().waitFor()
      assert.equal(await question(page).count(), 0)
      answer()
      await question(page).waitFor()
    }))

  it('are asked for on the first visit, and no stays no', () =>
    withPage(browser, options(), async (page) => {
      asked = []
      await page.goto(base + '/')
      await question(page).waitFor()
      assert.equal(await images(page).count(), 0)
      await page.getByRole('button', { name: 'Keep the drawn ones' }).click()
      await question(page).waitFor({ state: 'detached' })
      await page.reload()
      await page.getByRole('button', { name: 'Settings' }).waitFor()
      assert.equal(await question(page).count(), 0)
      assert.deepEqual(asked, [])
    }))

  it('come over the drawn ones once they are there, all 2:3; one that fails stays drawn', () =>
    withPage(browser, options(), async (page, { expect }) => {
      expect(/502/)
      let open
      gate = new Promise((resolve) => (open = resolve))
      await selectViewer(page, '256')
      await page.goto(base + '/')
      await page.getByRole('button', { name: 'Show covers' }).click()
      await images(page).first().waitFor({ state: 'attached' })
      const first = page.locator('article').first()
      assert.ok(await first.locator('svg').first().isVisible(), 'the drawn cover stays while the image loads')
      open()
      await page.waitForFunction(() => [...document.querySelectorAll('main article img')].some((image) => image.naturalWidth > 0 && getComputedStyle(image).opacity === '1'))
      const shapes = await page.locator('main article img').evaluateAll((all) => all.map((image) => image.parentElement.clientWidth / image.parentElement.clientHeight))
      for (const shape of shapes) assert.ok(Math.abs(shape - 2 / 3) < 0.02, `a cover of shape ${shape}`)
      await page.goto(`${base}/anime/${FAILS}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector(`main img[src$="/${1535}/cover"]`))
    }))

  it('are a choice in the settings too', () =>
    withPage(browser, options(), async (page) => {
      await selectViewer(page, '256')
      await page.goto(base + '/anime/5114')
      await page.getByRole('button', { name: 'Show covers' }).click()
      await images(page).first().waitFor()
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByRole('radio', { name: 'Drawn' }).check({ force: true })
      await images(page).first().waitFor({ state: 'detached' })
      assert.equal(await page.evaluate(() => localStorage.getItem('gars.covers')), 'false')
    }))

  for (const [width, height] of [[390, 844], [320, 256], [1280, 800]]) {
    it(`the question lies over nothing at ${width} by ${height}, wherever the page is scrolled to`, () =>
      withPage(browser, options({ viewport: { width, height } }), async (page) => {
        await selectViewer(page, '256')
        await page.goto(base + '/')
        await question(page).waitFor()
        await page.locator('main article').nth(4).waitFor()
        for (const share of [0, 0.3, 1]) {
          await page.evaluate((part) => window.scrollTo(0, part * document.documentElement.scrollHeight), share)
          const [lowest, highest] = await page.evaluate(() => [
            document.querySelector('[aria-labelledby=covers-question]').getBoundingClientRect().bottom,
            Math.min(...[...document.querySelectorAll('main h1, main article')].map((part) => part.getBoundingClientRect().top)),
          ])
          assert.ok(lowest <= highest, `it ends at ${lowest}, and the content begins at ${highest}`)
        }
        await page.evaluate(() => window.scrollTo(0, 0))
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true)
        await page.getByRole('button', { name: 'Keep the drawn ones' }).click()
        await question(page).waitFor({ state: 'detached' })
        assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'the focus is lost')
      }))
  }
})
