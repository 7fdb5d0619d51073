// What goes wrong on the way: files that are gone after an upgrade, addresses that are broken, and the way back.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, launch, selectViewer, someUser, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

describe('a view whose code cannot be loaded', () => {
  it('is loaded anew once, then the page says so, and goes on once it can', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource|Failed to fetch dynamically imported module|error loading dynamically imported module/)
      await selectViewer(page, await someUser(0))
      await page.goto(BASE)
      await cards(page).first().waitFor()
      await page.evaluate(() => (window.stillHere = true))
      let refused = 0
      await page.route('**/assets/GroupView*', (route) => ((refused += 1), route.abort('connectionrefused')))
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Group night' }).click()
      await page.getByTestId('chunk-failed').waitFor()
      assert.equal(await page.evaluate(() => window.stillHere), undefined, 'the page was not loaded anew')
      assert.ok(refused >= 2, `the view was asked for ${refused} times`)
      assert.equal(new URL(page.url()).pathname, '/group')
      await page.unroute('**/assets/GroupView*')
      await page.getByTestId('chunk-failed').getByRole('button', { name: 'Reload' }).click()
      await page.getByRole('heading', { level: 1, name: 'Group night' }).waitFor()
      assert.equal(await page.getByTestId('chunk-failed').count(), 0)
    }))
})

describe('an address', () => {
  it('with filters that cannot be shows the list without them', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/?year_min=abc&year_max=-4&min_score=99&episodes_max=1e9&genre=${'x'.repeat(300)}&title=nothing`)
      await cards(page).first().waitFor()
      await page.goto(`${BASE}/search?q=${'a'.repeat(3000)}`)
      await page.getByRole('heading', { name: /^No title like that/ }).or(page.getByRole('list', { name: 'Titles found' })).first().waitFor()
      // No route of the service takes the first, and no viewer has the second: nothing of a viewer is shown or offered.
      for (const id of ['a%2Fb', 'unknown-user']) {
        await page.goto(`${BASE}/users/${id}`)
        await page.getByRole('heading', { level: 1, name: 'No such viewer' }).waitFor()
        assert.equal(await page.locator('main h2, main button').count(), 0)
      }
    }))
})

describe('Back', () => {
  it('closes the side panel, then undoes a filter, and stays on the page', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(BASE)
      await cards(page).nth(5).waitFor()
      const { genres } = await ask('/genres')
      await page.getByRole('button', { name: /^Filters/ }).click()
      await page.getByRole('button', { name: genres[0], exact: true }).click()
      await page.waitForURL((url) => url.searchParams.get('genre') === genres[0])
      await cards(page).first().getByRole('link').last().click()
      await page.waitForURL((url) => url.searchParams.has('title'))
      const panel = page.locator('aside').filter({ has: page.getByRole('link', { name: 'Open the whole page' }) })
      await panel.waitFor()
      await page.goBack()
      await panel.waitFor({ state: 'detached' })
      assert.equal(new URL(page.url()).searchParams.get('genre'), genres[0])
      await page.goBack()
      await page.waitForURL((url) => url.pathname === '/' && !url.searchParams.has('genre'))
      await cards(page).first().waitFor()
    }))
})
