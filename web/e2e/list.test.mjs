// The list: chosen, explained, and moving.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, firstViewer, interact, launch, listedIds, selectViewer, markDocument, otherAction, someUser, waitForOtherList, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

describe('the list', () => {
  it('of a chosen user comes with reasons, a match and every title once', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      const button = await firstViewer(page)
      const userId = await button.getAttribute('data-user-id')
      await button.click()
      await page.getByRole('heading', { level: 1, name: `For viewer ${userId}` }).waitFor()
      await cards(page).first().waitFor()
      const ids = await listedIds(page)
      assert.equal(new Set(ids).size, ids.length)
      const { items } = await ask(`/users/${userId}/recommendations?k=${ids.length}`)
      assert.deepEqual(ids, items.map(({ anime }) => anime.anime_id))
      const explained = items.findIndex(({ reasons }) => reasons.length > 0)
      assert.ok(explained >= 0, 'no title of the list has a reason')
      const card = cards(page).nth(explained)
      const [{ text, title, title_english: english }] = items[explained].reasons
      await card.getByText(english ? text.replace(title, english) : text).waitFor()
      const MATCH = { best: 'Best match', great: 'Great match', good: 'Good match', fair: 'Worth a look' }
      await card.getByText(MATCH[items[explained].match]).first().waitFor()
      const grades = items.map(({ match }) => Object.keys(MATCH).indexOf(match))
      assert.deepEqual(grades, grades.toSorted((a, b) => a - b), 'a match contradicts the order')
    }))

  it('changes without a reload when a title is opened, and says what moved', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
      const same = await markDocument(page)
      const before = await listedIds(page)
      await cards(page).nth(8).getByRole('link').first().click()
      await page.locator('aside').getByRole('link', { name: 'Open the whole page' }).waitFor()
      await waitForOtherList(page, before)
      await page.getByTestId('live-story').filter({ hasText: /^Because of / }).waitFor()
      await page.getByRole('button', { name: 'Details' }).click()
      const dialog = page.getByRole('dialog', { name: 'Details' })
      await dialog.getByText(/^You opened/).waitFor()
      // The panel stays next to the list: while it is open, lists come with the numbers behind them.
      const listed = await listedIds(page)
      await cards(page).nth(3).getByRole('button', { name: /^Like: / }).click()
      await waitForOtherList(page, listed)
      // Of a title that moved: what changed in words with before and after, and all numbers behind a disclosure.
      await dialog.getByText(/→/).first().waitFor()
      await dialog.getByText(/number(s)? that changed/).first().click()
      await dialog.getByRole('table').first().getByText(/^[a-z]+_[a-z_]+$/).first().waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await same()
    }))

  it('has moved when one comes back from a title on a phone', () =>
    withPage(browser, { viewport: { width: 390, height: 844 }, hasTouch: true }, async (page) => {
      await selectViewer(page, await someUser(5))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      // The first card is on the first screen, and its actions are few and large enough for a thumb.
      const first = await cards(page).first().boundingBox()
      assert.ok(first.y < 320, `the first card begins at ${first.y}`)
      const buttons = await cards(page).nth(1).getByRole('toolbar').getByRole('button').evaluateAll((all) => all.map((button) => button.getBoundingClientRect()).map(({ width, height }) => Math.min(width, height)))
      assert.equal(buttons.length, 4, 'three actions and “More”')
      assert.ok(buttons.every((side) => side >= 44), `buttons of ${buttons} pixels`)
      const same = await markDocument(page)
      const before = await listedIds(page)
      await cards(page).nth(6).getByRole('link').first().click()
      await page.waitForURL(`${BASE}/anime/${before[6]}`)
      await page.getByRole('heading', { level: 2, name: 'Similar anime' }).waitFor()
      await page.goBack()
      await waitForOtherList(page, before)
      await page.getByTestId('live-story').filter({ hasText: /^Because of / }).waitFor()
      await same()
    }))

  it('follows what the same user does elsewhere', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(1)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).first().waitFor()
      await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
      const same = await markDocument(page)
      const before = await listedIds(page)
      await interact({ user_id: userId, anime_id: before[2], kind: 'dismiss' })
      const after = await waitForOtherList(page, before)
      assert.ok(!after.includes(before[2]), 'a dismissed title is still listed')
      await page.getByTestId('live-story').filter({ hasText: 'Changed on another device' }).waitFor()
      await interact({ user_id: userId, anime_id: before[2], kind: 'dismiss', undo: true })
      await waitForOtherList(page, after)
      await same()
    }))

  it('is the same in two tabs', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(4)
      const other = await page.context().newPage()
      for (const tab of [page, other]) {
        await selectViewer(tab, userId)
        await tab.goto(BASE)
        await cards(tab).first().waitFor()
        await tab.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
      }
      const before = await listedIds(page)
      assert.deepEqual(await listedIds(other), before)
      await otherAction(other, cards(other).nth(5), /^Dislike: /)
      const after = await waitForOtherList(other, before)
      assert.deepEqual(await waitForOtherList(page, before), after)
    }))

  it('takes a title out that is liked, and back when that is undone', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(2))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      const before = await listedIds(page)
      await cards(page).nth(3).getByRole('button', { name: /^Like: / }).click()
      const after = await waitForOtherList(page, before)
      assert.ok(!after.includes(before[3]), 'a liked title is still listed')
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.waitForFunction((id) => document.querySelector(`section[aria-label="Recommendations"] > ol > li:not([inert]) a[href$="/${id}"]`), before[3])
    }))

  it('moves without the stream too, and picks it up again', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource|ERR_CONNECTION_REFUSED/)
      await page.route('**/events', (route) => route.abort('connectionrefused'))
      await selectViewer(page, await someUser(6))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      await page.getByText('Reconnecting', { exact: true }).waitFor()
      const before = await listedIds(page)
      await cards(page).nth(2).getByRole('button', { name: /^Not interested: / }).click()
      await waitForOtherList(page, before)
      await page.unroute('**/events')
      await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
    }))

  it('grows on demand, in the same order', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/?hide_sequels=false&one_per_franchise=false`)
      await cards(page).first().waitFor()
      const before = await listedIds(page)
      await page.getByRole('button', { name: 'Show more' }).click()
      const after = await waitForOtherList(page, before)
      assert.deepEqual(after.slice(0, before.length), before)
      assert.ok(after.length > before.length)
    }))

  it('takes a rating', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(3)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).first().waitFor()
      const before = await listedIds(page)
      await otherAction(page, cards(page).nth(2), '9 of 10: Great')
      await waitForOtherList(page, before)
      const { items } = await ask(`/users/${userId}/history?limit=5`)
      assert.ok(items.some(({ anime, rating }) => anime.anime_id === before[2] && rating === 9), 'the rating is not in the history')
    }))

  it('is filtered by its address, which can be shared', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/?year_min=2005&year_max=2012`)
      await cards(page).first().waitFor()
      const before = await listedIds(page)
      const userId = await someUser(0)
      const { items } = await ask(`/users/${userId}/recommendations?k=${before.length}&year_min=2005&year_max=2012`)
      assert.deepEqual(before, items.map(({ anime }) => anime.anime_id))
      assert.equal(await page.getByRole('spinbutton', { name: 'From' }).inputValue(), '2005')
      // The panel stands next to its results on a wide screen, and is a sheet over them on a narrow one.
      const { y } = await cards(page).first().boundingBox()
      assert.ok(y < 450, `the first result begins at ${y}`)
      const { genres } = await ask('/genres')
      await page.getByRole('button', { name: genres[0], exact: true }).click()
      await page.waitForURL((url) => url.searchParams.get('genre') === genres[0])
      await page.setViewportSize({ width: 390, height: 844 })
      await page.reload()
      await cards(page).first().waitFor()
      assert.ok((await cards(page).first().boundingBox()).y < 450, 'the results are pushed off the screen')
      await page.getByRole('button', { name: /^Filters/ }).click()
      const sheet = page.getByRole('dialog', { name: 'Filters' })
      await sheet.getByRole('button', { name: genres[0], exact: true }).waitFor()
      await sheet.getByRole('button', { name: 'Close' }).click()
      await sheet.waitFor({ state: 'detached' })
    }))

  it('says so when nothing passes the filters, and offers to clear them', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/?year_min=1901&year_max=1902`)
      await page.getByRole('heading', { name: 'No matches' }).waitFor()
      // the button moves when the filters that are in the way have been found above it
      await page.locator('#loosen').waitFor()
      await page.getByRole('button', { name: 'Clear the filters' }).click()
      await cards(page).first().waitFor()
    }))
})
