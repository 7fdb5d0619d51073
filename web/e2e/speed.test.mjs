// How soon the page is there, how soon it answers, and that nothing jumps. Times depend on the machine: they are printed.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { BASE, cards, launch, listedIds, lookAs, someUser, waitForOtherList, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

describe('speed', () => {
  it('of the first paint and of an answer is measured, and nothing jumps', () =>
    withPage(browser, {}, async (page) => {
      await lookAs(page, await someUser(0))
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
})
