// A newcomer: three picks, a list of their own, and what is kept of them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, launch, listedIds, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const grid = (page) => page.getByRole('list', { name: 'Titles to pick from' })

describe('a newcomer', () => {
  it('picks three titles and gets a list made from them', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      const show = page.getByRole('button', { name: 'Show my list' })
      await show.waitFor()
      assert.ok(await show.isDisabled())
      for (const at of [1, 4, 9]) {
        const pick = grid(page).getByRole('button').nth(at)
        await pick.click()
        await grid(page).locator('button[aria-pressed="true"]').nth([1, 4, 9].indexOf(at)).waitFor()
      }
      await page.getByText('3 picked').waitFor()
      await show.click()
      await page.getByRole('heading', { level: 1, name: 'For you' }).waitFor()
      await cards(page).first().waitFor()
      const { id, picks } = await page.evaluate(() => JSON.parse(localStorage.getItem('gars.visitor')))
      assert.match(id, /^visitor-[0-9a-f-]{36}$/)
      assert.equal(picks.length, 3)
      const ids = await listedIds(page)
      assert.ok(picks.every((pick) => !ids.includes(pick)), 'a picked title is recommended again')
      const { items } = await ask(`/users/${id}/history`)
      assert.deepEqual(new Set(items.filter(({ reaction }) => reaction === 1).map(({ anime }) => anime.anime_id)), new Set(picks))
      const popular = await ask(`/users/unknown-${id}/recommendations?k=${ids.length}`)
      assert.notDeepEqual(ids, popular.items.map(({ anime }) => anime.anime_id), 'the list is the same as without picks')

      await page.reload()
      await cards(page).first().waitFor()
      assert.deepEqual(await listedIds(page), ids, 'the list survives a reload')
    }))

  it('can take a pick back and find titles by name', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      const first = grid(page).getByRole('button').first()
      const name = (await first.locator('span:last-child').last().textContent()).trim()
      await first.click()
      await page.getByText('1 picked').waitFor()
      await first.click()
      await page.getByText('0 picked').waitFor()
      await page.getByLabel('Find a title you like').fill(name)
      await grid(page).getByRole('button', { name, exact: true }).first().click()
      await page.getByText('1 picked').waitFor()
    }))

  it('gets a next step when the service is away, and goes on when it is back', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource/)
      await page.route('**/api/v1/onboarding*', (route) => route.abort('connectionrefused'))
      await page.goto(BASE)
      const alert = page.getByRole('alert').filter({ hasText: 'The titles did not load' })
      await alert.getByText('GARS does not answer right now.').waitFor()
      await page.unroute('**/api/v1/onboarding*')
      await alert.getByRole('button', { name: 'Try again' }).click()
      await grid(page).getByRole('button').first().waitFor()
    }))
})
