// How the list moves on the screen: cards glide to their places, or stand there at once for those who want less motion.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { BASE, cards, launch, listedIds, selectViewer, someUser, waitForOtherList, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** Count the animations of cards that begin from now on, and how far cards glide, in pixels. */
const watchMotion = (page) =>
  page.evaluate(() => {
    window.motion = { begun: 0, far: 0 }
    const list = document.querySelector('section[aria-label="Recommendations"] > ol')
    list.addEventListener('transitionrun', ({ target, propertyName }) => {
      if (target.parentElement !== list) return
      window.motion.begun += 1
      if (propertyName !== 'transform') return
      const { m41, m42 } = new DOMMatrix(getComputedStyle(target).transform)
      window.motion.far = Math.max(window.motion.far, Math.hypot(m41, m42))
    })
  })

/** Dismiss the third title and wait until the list has moved and stands still. */
async function moved(page, userId) {
  await selectViewer(page, userId)
  await page.goto(BASE)
  await cards(page).nth(4).waitFor()
  await watchMotion(page)
  const before = await listedIds(page)
  await cards(page).nth(2).getByRole('button', { name: /^Not interested: / }).click()
  await waitForOtherList(page, before)
  await page.waitForFunction(() => document.querySelectorAll('section[aria-label="Recommendations"] > ol > li[inert]').length === 0)
  return page.evaluate(() => window.motion)
}

describe('the list', () => {
  it('glides: a card that moves sets out from where it stood', () =>
    withPage(browser, { reducedMotion: 'no-preference' }, async (page) => {
      const { begun, far } = await moved(page, await someUser(5))
      assert.ok(begun > 0, 'no card moved')
      assert.ok(far > 50, `the farthest card glided ${far} pixels`)
    }))

  it('stands still for those who want less motion', () =>
    withPage(browser, { reducedMotion: 'reduce' }, async (page) => {
      const { begun } = await moved(page, await someUser(6))
      assert.equal(begun, 0, 'cards glide')
      // Colours may fade: that is no motion.
      const others = await page.evaluate(() =>
        document.getAnimations().filter((one) => !/color|opacity|fill|stroke/.test(one.transitionProperty ?? '')).map((one) => one.transitionProperty ?? one.animationName),
      )
      assert.deepEqual(others, [], 'something else moves')
    }))

  for (const [reducedMotion, moves] of [['no-preference', true], ['reduce', false]]) {
    it(`is seen ${moves ? 'moving' : 'in its new order at once'} on the phone after a title is closed, with motion ${moves ? 'on' : 'reduced'}`, () =>
      withPage(browser, { viewport: { width: 390, height: 844 }, reducedMotion }, async (page) => {
        await selectViewer(page, await someUser(moves ? 1 : 2))
        await page.goto(BASE)
        await cards(page).nth(4).waitFor()
        await watchMotion(page)
        // Behind the title the list is out of the document, so it is read from the element itself.
        const list = await page.locator('section[aria-label="Recommendations"] > ol').elementHandle()
        const ids = () => list.evaluate((ol) => [...ol.querySelectorAll(':scope > li:not([inert])')].map((item) => Number(item.querySelector('a').getAttribute('href').split('/').pop())))
        const opened = page.waitForResponse((response) => response.url().endsWith('/interactions') && response.ok())
        await cards(page).nth(1).locator('h3 a').click()
        await opened
        await page.waitForURL(/\/anime\/\d+$/)
        await page.waitForFunction((ol) => !ol.isConnected, list)
        // Opening the title was a click: the list may have moved before the title covered it, but not from here on.
        const begun = () => page.evaluate(() => window.motion.begun)
        const [before, listed] = [await begun(), await ids()]
        const asked = []
        page.on('request', (request) => request.url().includes('/recommendations') && asked.push(request.url()))
        await page.getByRole('toolbar').first().getByRole('button', { name: /^Not interested: / }).click()
        // The notice comes when the page knows of the new state, and would have asked for a list if it were to.
        await page.getByRole('button', { name: 'Undo' }).waitFor()
        assert.deepEqual(asked, [], 'the list was asked for behind the title')
        assert.deepEqual(await ids(), listed, 'the list moved behind the title')
        assert.equal(await begun(), before)
        await page.goBack()
        await waitForOtherList(page, listed)
        await page.waitForFunction(() => document.querySelectorAll('section[aria-label="Recommendations"] > ol > li[inert]').length === 0)
        assert.equal((await begun()) > before, moves)
      }))

    it(`${moves ? 'sends a liked cover to the counter' : 'counts without a flight'}, with motion ${moves ? 'on' : 'reduced'}`, () =>
      withPage(browser, { viewport: { width: 390, height: 844 }, reducedMotion }, async (page) => {
        await selectViewer(page, await someUser(moves ? 3 : 4))
        await page.goto(BASE)
        await cards(page).nth(2).waitFor()
        const counter = page.getByText(/^From \d+ titles/)
        const count = async () => Number((await counter.textContent()).match(/\d+/)[0])
        const before = await count()
        await page.evaluate(() => {
          window.flights = 0
          new MutationObserver((changes) => (window.flights += changes.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.dataset?.flight !== undefined).length)).observe(document.body, { childList: true })
        })
        await cards(page).nth(1).getByRole('button', { name: /^Like: / }).click()
        await page.waitForFunction((n) => document.body.textContent.includes(`From ${n} titles`), before + 1)
        await page.waitForFunction((n) => window.flights >= n && !document.querySelector('[data-flight]'), Number(moves))
        assert.equal(await page.evaluate(() => window.flights), Number(moves))
      }))
  }

  it('marks titles that the last action brought with the small cover of their cause', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(7))
      await page.goto(BASE)
      await cards(page).nth(4).waitFor()
      for (let place = 0; place < 4 && !(await page.getByTestId('move-note').count()); place += 1) {
        const before = await listedIds(page)
        await cards(page).nth(place).getByRole('button', { name: /^Like: / }).click()
        await waitForOtherList(page, before)
      }
      await page.getByTestId('move-note').first().locator('svg, img').first().waitFor()
    }))
})
