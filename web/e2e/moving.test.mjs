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
})
