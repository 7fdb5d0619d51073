// Two viewers compared: one number that explains itself, what both love, what to watch together.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, interact, launch, selectViewer, someUser, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

describe('a comparison with a friend', () => {
  it('starts from an invitation, shows the match and how it is counted, and leads to the group night', () =>
    withPage(browser, { viewport: { width: 390, height: 844 } }, async (page) => {
      const [me, friend] = [await someUser(1), await someUser(2)]
      const [anime] = (await ask('/onboarding?k=1')).items
      for (const user_id of [me, friend]) await interact({ user_id, anime_id: anime.anime_id, kind: 'rate', value: 10 })
      await selectViewer(page, me)
      await page.goto(`${BASE}/users/${friend}/compare#${friend}=Ben`)
      await page.getByRole('heading', { level: 1, name: 'You and Ben' }).waitFor()
      const body = await ask(`/users/${me}/compare/${friend}`)
      const n = Math.round(body.match * 100)
      const match = page.getByRole('region', { name: 'match' })
      await match.getByText(`${n}%`).waitFor()
      await match.getByText(`Of 100 titles that one of you has watched, you agree about ${n}`).waitFor()
      await match.getByText('How it is counted').click()
      await match.getByText(`Counted over ${body.titles} titles.`).waitFor()
      const love = page.getByRole('list', { name: 'You both love' })
      await love.locator(`a[href="/anime/${anime.anime_id}"]`).getByText('you 10, Ben 10').waitFor()
      const together = page.getByRole('list', { name: 'Watch together' })
      await together.getByText(/^you \d+%, Ben \d+%$/).first().waitFor()
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390)
      await page.getByRole('link', { name: 'Group night' }).last().scrollIntoViewIfNeeded()
      await page.getByRole('region', { name: 'Watch together' }).getByRole('link', { name: 'Group night' }).click()
      await page.getByRole('button', { name: 'Remove Ben' }).waitFor()
    }))

  it('offers a link with a name to send, and somebody to choose', () =>
    withPage(browser, {}, async (page) => {
      const me = await someUser(1)
      await selectViewer(page, me)
      await page.goto(`${BASE}/users/${me}`)
      await page.getByRole('link', { name: 'Compare with a friend' }).click()
      await page.getByLabel('Your name on it').fill('Chie')
      assert.equal(await page.getByLabel('Invitation link').inputValue(), `${BASE}/users/${me}/compare#${me}=Chie`)
      await page.getByRole('region', { name: 'Choose somebody' }).getByRole('listitem').first().getByRole('link').click()
      await page.getByRole('region', { name: 'match' }).waitFor()
    }))

  it('says that a viewer does not exist, and asks a newcomer for a list first', async () => {
    await withPage(browser, {}, async (page, { expect }) => {
      expect(/404/)
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/users/unknown-user/compare`)
      await page.getByRole('alert').getByText('There is no such viewer.').waitFor()
    })
    await withPage(browser, {}, async (page) => {
      await page.goto(`${BASE}/users/${await someUser(0)}/compare`)
      await page.getByRole('heading', { name: 'Get your list first' }).waitFor()
    })
  })
})
