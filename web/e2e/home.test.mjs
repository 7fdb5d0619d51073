// The first page: a list brought from elsewhere, the shelves, and what can be done on their cards.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, launch, listedIds, selectViewer, otherAction, someUser, waitForOtherList, withPage } from './browser.mjs'
import { drop, exported } from './exported.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const shelf = (page, name) => page.getByRole('region', { name })
const ids = (locator) => locator.locator('li article > a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))

describe('a list from elsewhere', () => {
  it('is dropped on the page, reported title by title, and becomes a list', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      await page.getByRole('region', { name: /^Already keep a list/ }).waitFor()
      const { items, xml } = await exported(6)
      await drop(page, 'animelist.xml', xml)
      const report = page.getByRole('region', { name: /^Already keep a list/ })
      await report.getByRole('heading', { name: `${items.length} titles taken from MyAnimeList XML export` }).waitFor()
      await report.getByRole('heading', { name: 'Not in the catalogue yet' }).waitFor()
      await report.getByRole('button', { name: 'Show my list' }).click()
      await cards(page).first().waitFor()
      const listed = await listedIds(page)
      assert.ok(items.every(({ anime_id }) => !listed.includes(anime_id)), 'a title of the list is recommended')
    }))

  it('that is none says so, and what to do', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*400/)
      await page.goto(BASE)
      await page.locator('input[type=file]').setInputFiles({ name: 'list.xml', mimeType: 'text/xml', buffer: Buffer.from('no list at all') })
      await page.getByRole('alert').getByText('The list could not be read').waitFor()
    }))
})

describe('the shelves', () => {
  it('continue stories, show what is hot, gems and an era', () =>
    withPage(browser, {}, async (page) => {
      // Of this viewer each shelf has titles that are neither in the list nor on a shelf above.
      const userId = await someUser(2)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).first().waitFor()
      // What is far below loads when one comes near.
      for (let turn = 0; turn < 12; turn++) {
        await page.mouse.wheel(0, 400)
        await page.evaluate(() => new Promise(requestAnimationFrame))
      }
      for (const name of [/^Because you watched|^More like/, 'Trending now', 'Hidden gems', /^Your era|^This season/]) {
        await shelf(page, name).scrollIntoViewIfNeeded()
        await shelf(page, name).locator('li').first().waitFor()
      }
      // Each title stands once on the page, and a title that many know is no discovery for want of ratings here.
      const all = [...(await listedIds(page)), ...(await page.locator('section[aria-labelledby] li article > a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop()))))]
      assert.deepEqual(all.filter((id, at) => all.indexOf(id) !== at), [], 'a title stands twice')
      const { items: unrated } = await ask(`/users/${userId}/new?k=20`)
      // Every title of the stand-in is well known: it has no such cap.
      if (process.env.GARS_URL_IS_REAL) assert.deepEqual(unrated.filter(({ members }) => members > 20_000), [])
      assert.equal(await page.getByRole('heading', { name: /nobody has watched/i }).count(), 0)
      const { items } = await ask(`/users/${userId}/continue?k=20`)
      if (items.length) {
        await shelf(page, 'Continue').locator('li').first().waitFor()
        const continued = items.map(({ anime }) => anime.anime_id)
        assert.ok((await ids(shelf(page, 'Continue'))).every((id) => continued.includes(id)))
      }
    }))

  it('let go of a title at once, and take it back on undo', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(2))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      const trending = shelf(page, 'Trending now')
      await trending.scrollIntoViewIfNeeded()
      await trending.locator('li').first().waitFor()
      const [first] = await ids(trending)
      const gone = () => trending.locator(`li a[href$="/${first}"]`)
      await otherAction(page, trending.locator('li').first(), /^Seen it: /)
      await gone().first().waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Undo' }).click()
      await gone().first().waitFor()
    }))
})

describe('a card', () => {
  it('that is the top pick leaves little empty under its cover', () =>
    withPage(browser, { viewport: { width: 820, height: 900 } }, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(BASE)
      const card = cards(page).first()
      await card.waitFor()
      for (const width of [820, 700, 600]) {
        await page.setViewportSize({ width, height: 900 })
        const [whole, cover, actions] = await Promise.all(['article', 'article > a > div > div:first-child', '[role=toolbar]'].map((part) => card.locator(part).boundingBox()))
        const used = (actions.y >= cover.y + cover.height ? actions.height : 0) + cover.height
        assert.ok(used >= 0.85 * whole.height, `${Math.round(used)} of ${Math.round(whole.height)} pixels at ${width}`)
      }
    }))

  it('can be planned and unplanned, and the title stays', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(1)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).first().waitFor()
      const [, , third] = await listedIds(page)
      const plan = page.locator('section[aria-label="Recommendations"]').locator(`li:has(a[href$="/${third}"])`).getByRole('button', { name: /^Plan to watch: / }).first()
      await plan.click()
      await page.getByRole('button', { name: 'Undo' }).waitFor()
      assert.equal(await plan.getAttribute('aria-pressed'), 'true')
      const status = async () => (await ask(`/users/${userId}/history?limit=100`)).items.find(({ anime }) => anime.anime_id === third)?.status ?? null
      assert.equal(await status(), 'planned')
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.getByText(/^Taken back/).first().waitFor()
      assert.equal(await status(), null)
    }))

  it('that moved says quietly why', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(3))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      const before = await listedIds(page)
      await cards(page).nth(2).getByRole('button', { name: /^Like: / }).click()
      await waitForOtherList(page, before)
      await page.getByTestId('move-note').first().waitFor()
    }))
})
