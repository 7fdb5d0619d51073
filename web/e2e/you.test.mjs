// What is known of a viewer, how they set their lists, and how they take everything away or have it deleted.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, interact, launch, listedIds, selectViewer, someUser, waitForOtherList, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** A newcomer of this browser with some likes. */
async function newcomer(page) {
  const id = `visitor-${crypto.randomUUID()}`
  const { items } = await ask('/onboarding?k=4')
  for (const { anime_id } of items) await interact({ user_id: id, anime_id, kind: 'like' })
  const visitor = JSON.stringify({ id, picks: items.map(({ anime_id }) => anime_id), started: true })
  await page.addInitScript((text) => sessionStorage.length || (sessionStorage.setItem('made', '1'), localStorage.setItem('gars.visitor', text)), visitor)
  return id
}

describe('you', () => {
  it('see what those alike love that you do not know', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(0)
      await selectViewer(page, userId)
      await page.goto(`${BASE}/users/${userId}`)
      const { items } = await ask(`/users/${userId}/similar-users/loved?k=6`)
      const shown = items.find(({ loved }) => loved.length)
      assert.ok(shown, 'nobody alike loves anything new')
      const alike = page.getByRole('region', { name: 'Viewers like you' })
      await alike.getByRole('heading', { name: 'They love, and you have not seen' }).first().waitFor()
      await alike.locator(`a[href="/anime/${shown.loved[0].anime_id}"]`).first().waitFor()
    }))

  it('set what every list holds, and it is kept', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(2)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).first().waitFor()
      const before = await listedIds(page)
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'You', exact: true }).click()
      const settings = page.getByRole('region', { name: 'What your lists should hold' })
      await settings.getByLabel('Show several of one franchise').check()
      await settings.getByLabel('Show sequels of what I have not started').check()
      await settings.getByRole('slider', { name: /Well known or niche/ }).press('End')
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'For you' }).click()
      const after = await waitForOtherList(page, before)
      const wanted = await ask(`/users/${userId}/recommendations?k=${after.length}&one_per_franchise=false&hide_sequels=false&niche=1`)
      assert.deepEqual(after, wanted.items.map(({ anime }) => anime.anime_id))
      await page.reload()
      await cards(page).first().waitFor()
      assert.deepEqual(await listedIds(page), after)
    }))

  it('take back what is in the history', () =>
    withPage(browser, {}, async (page) => {
      const id = await newcomer(page)
      await page.goto(`${BASE}/users/${id}`)
      const history = page.getByRole('list', { name: 'History' })
      await history.getByRole('link').first().waitFor()
      await history.getByRole('button', { name: /^Take back/ }).first().click()
      await page.waitForFunction(() => document.querySelectorAll('ul[aria-label="History"] > li').length === 3)
    }))

  it('export everything, and have it deleted after a question', () =>
    withPage(browser, {}, async (page) => {
      const id = await newcomer(page)
      await page.goto(`${BASE}/users/${id}`)
      const download = page.waitForEvent('download')
      await page.getByRole('link', { name: 'Export everything' }).click()
      await (await download).delete()
      await page.getByRole('button', { name: 'Delete everything' }).click()
      const question = page.getByRole('alertdialog')
      await question.getByRole('button', { name: 'Keep it' }).click()
      await question.waitFor({ state: 'detached' })
      assert.equal((await ask(`/users/${id}`)).titles, 4)
      await page.getByRole('button', { name: 'Delete everything' }).click()
      await question.getByRole('button', { name: 'Delete everything' }).click()
      await page.waitForURL(`${BASE}/start`)
      assert.equal((await ask(`/users/${id}`)).titles, 0)
      assert.equal(await page.evaluate(() => localStorage.getItem('gars.visitor')), 'null')
    }))
})
