// How soon the page is there, how soon it answers, and that nothing jumps. Times depend on the machine: they are printed.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, CARD, cards, firstViewer, launch, listedIds, PICK, selectViewer, someUser, waitForOtherList, withPage } from './browser.mjs'
import { BUDGET, measureAction, measureClicks, measureFirstLoad, waitForQuiet } from './measure.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

// The stand-in sends its files as they are.
describe('bytes', { skip: process.env.GARS_URL_IS_REAL ? false : 'the stand-in does not compress' }, () => {
  it('before the first titles stand, and for a click, stay in their budgets', () =>
    withPage(browser, {}, async (page) => {
      const load = await measureFirstLoad(page, BASE, PICK)
      const files = load.transfers.map(({ url, bytes }) => `${url} ${bytes}`).join('\n')
      assert.ok(load.code <= BUDGET.firstLoad, `${load.code.toFixed(1)} kB of ${BUDGET.firstLoad}\n${files}`)
      await selectViewer(page, await someUser(0))
      await page.goto(BASE)
      await cards(page).nth(4).waitFor()
      await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
      await waitForQuiet(page)
      const before = await listedIds(page)
      const click = await measureAction(page, () => cards(page).nth(3).getByRole('button', { name: /^Like: / }).click(), () => waitForOtherList(page, before))
      console.log(`first load ${load.code.toFixed(1)} kB of code, ${load.fonts.toFixed(1)} of typefaces, ${load.data.toFixed(1)} of data; a click ${click.requests} requests, ${click.all.toFixed(1)} kB`)
      assert.ok(click.requests <= BUDGET.clickRequests, `a click asks ${click.requests} times: ${click.transfers.map(({ url }) => url).join(', ')}`)
      assert.ok(click.all <= BUDGET.clickKilobytes, `a click costs ${click.all.toFixed(1)} kB`)
    }))
})

describe('speed', () => {
  it('of the first paint and of an answer is measured, and nothing jumps', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.addInitScript(() => {
        window.shifts = []
        window.answers = []
        new PerformanceObserver((list) => window.shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput).map(({ value }) => value))).observe({ type: 'layout-shift', buffered: true })
        new PerformanceObserver((list) => window.answers.push(...list.getEntries().filter(({ interactionId }) => interactionId).map(({ duration }) => duration))).observe({ type: 'event', durationThreshold: 16, buffered: true })
      })
      await page.goto(BASE)
      await cards(page).first().waitFor()
      await page.getByRole('button', { name: 'Settings' }).waitFor()
      const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
      assert.ok(paint > 0, 'the page was never painted')
      for (const at of [3, 6]) {
        const listed = await listedIds(page)
        await cards(page).nth(at).getByRole('button', { name: /^Not interested: / }).click()
        await waitForOtherList(page, listed)
      }
      const { shift, answer } = await page.evaluate(() => ({ shift: window.shifts.reduce((sum, value) => sum + value, 0), answer: Math.max(0, ...window.answers) }))
      console.log(`first contentful paint ${Math.round(paint)} ms; interaction to next paint ${answer ? `${answer} ms` : 'under 16 ms'}; layout shift ${shift.toFixed(3)}`)
      assert.ok(shift < 0.1, `layout shift of ${shift}`)
    }))

  it('of a click to the changed list is measured', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(1))
      await page.goto(BASE)
      await cards(page).nth(4).waitFor()
      await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
      await waitForQuiet(page)
      const times = (await measureClicks(page, CARD, /^Like: /, 20)).toSorted((a, b) => a - b)
      assert.equal(times.length, 20)
      console.log(`click to changed list: p50 ${Math.round(times[10])} ms, slowest ${Math.round(times[19])} ms`)
    }))

  for (const width of [1440, 390]) {
    it(`costs no reader their place, ${width} wide: nothing jumps while a view loads, nor when the list moves`, () =>
      withPage(browser, { viewport: { width, height: 844 } }, async (page) => {
        const userId = await someUser(0)
        await selectViewer(page, userId)
        await page.addInitScript(() => {
          window.shifts = []
          new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value, sources }) => ({ value, of: sources[0]?.node?.textContent?.trim().slice(0, 40) })))).observe({ type: 'layout-shift', buffered: true })
        })
        const [anime] = (await ask('/onboarding?k=1')).items
        for (const [path, ready] of [
          ['/start', () => firstViewer(page)],
          [`/anime/${anime.anime_id}`, () => page.getByRole('list', { name: 'Similar anime' })],
          [`/users/${userId}`, () => page.getByRole('list', { name: 'History' })],
          ['/explore', () => page.getByRole('list', { name: 'Titles that fit' })],
          [`/group?member=${userId}&member=${await someUser(1)}`, () => page.getByRole('list', { name: 'For all of you' })],
          ['/', () => cards(page).first()],
        ]) {
          await page.goto(BASE + path)
          await (await ready()).waitFor()
          await page.getByRole('button', { name: 'Settings' }).waitFor()
          const shifts = await page.evaluate(() => window.shifts)
          const sum = shifts.reduce((total, { value }) => total + value, 0)
          assert.ok(sum < 0.1, `${path} jumps by ${sum.toFixed(3)}: ${JSON.stringify(shifts)}`)
        }
        // What a reader did a moment ago counts too here: the browser leaves it out, a reader does not.
        const top = () => page.locator('section[aria-label="Recommendations"] > ol').evaluate((list) => list.getBoundingClientRect().top + window.scrollY)
        const [listed, before] = [await listedIds(page), await top()]
        await cards(page).nth(2).getByRole('button', { name: /^Not interested: / }).click()
        await waitForOtherList(page, listed)
        await page.getByTestId('live-story').filter({ hasText: /^(Because of|You hid)/ }).waitFor()
        const moved = Math.abs(await top() - before)
        assert.ok(moved < 1, `the list was pushed down by the story of how it moved: ${moved} px`)
      }))
  }
})

describe('typefaces that come late', () => {
  for (const [what, viewer] of [['first visit', () => null], ['list', () => someUser(0)]])
    it(`move nothing: ${what}`, () =>
      withPage(browser, { viewport: { width: 390, height: 844 } }, async (page) => {
        const userId = await viewer()
        if (userId) await selectViewer(page, userId)
        await page.addInitScript(() => {
          window.shifts = []
          new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value, sources }) => [value, sources[0]?.node?.textContent?.trim().slice(0, 40)]))).observe({ type: 'layout-shift', buffered: true })
        })
        let letCome
        const gate = new Promise((resolve) => (letCome = resolve))
        let held = 0
        await page.route('**/*.woff2', async (route) => {
          held += 1
          await gate
          await route.continue()
        })
        await page.goto(BASE, { waitUntil: 'domcontentloaded' })
        await (userId ? cards(page) : page.getByRole('list', { name: 'Titles to pick from' }).getByRole('button')).first().waitFor()
        await waitForQuiet(page)
        assert.ok(held, 'no typeface was asked for')
        letCome()
        await page.evaluate(() => document.fonts.ready.then(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))))
        const shifts = await page.evaluate(() => window.shifts)
        assert.ok(shifts.reduce((sum, [value]) => sum + value, 0) < 0.01, JSON.stringify(shifts))
      }))
})
