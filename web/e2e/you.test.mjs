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
      assert.ok(shown, 'no similar user loves a new title')
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

  it('see what they hid, and take it back', () =>
    withPage(browser, { viewport: { width: 390, height: 844 } }, async (page) => {
      const id = await newcomer(page)
      const { items: shown } = await ask(`/users/${id}/recommendations?k=3`)
      const hidden = shown[1].anime
      await interact({ user_id: id, anime_id: hidden.anime_id, kind: 'dismiss' })
      await page.goto(BASE)
      await page.getByRole('button', { name: /profile and viewers/ }).click()
      await page.getByRole('link', { name: 'What you hid' }).click()
      const history = page.getByRole('list', { name: 'History' })
      await history.locator(`a[href="/anime/${hidden.anime_id}"]`).waitFor()
      assert.equal(await history.getByRole('listitem').count(), 1)
      await history.getByRole('button', { name: /^Take back/ }).click()
      await page.getByText('Nothing here.').waitFor()
      await page.getByRole('radio', { name: 'Everything' }).check({ force: true })
      await page.waitForFunction(() => document.querySelectorAll('ul[aria-label="History"] > li').length === 4)
      const after = await ask(`/users/${id}/recommendations?k=20`)
      assert.ok(after.items.some(({ anime }) => anime.anime_id === hidden.anime_id), 'the title is on the list again')
    }))

  it('do not see series they dropped unless they ask for them', () =>
    withPage(browser, {}, async (page) => {
      const id = await newcomer(page)
      const { items } = await ask(`/users/${id}/recommendations?k=100&one_per_franchise=false&hide_sequels=false`)
      const lineOf = async ({ anime }) => (await ask(`/anime/${anime.anime_id}`)).franchise.map((one) => one.anime_id).filter((one) => one !== anime.anime_id && items.some((item) => item.anime.anime_id === one))
      let dropped, line
      for (const item of items) {
        line = await lineOf(item)
        dropped = item.anime
        if (line.length) break
      }
      await interact({ user_id: id, anime_id: dropped.anime_id, kind: 'status', value: 'dropped' })
      await page.goto(`${BASE}/?one_per_franchise=false&hide_sequels=false`)
      const asked = (more) => `/users/${id}/recommendations?k=100&one_per_franchise=false&hide_sequels=false${more}`
      const ids = async (more) => (await ask(asked(more))).items.map(({ anime }) => anime.anime_id)
      assert.ok(!(await ids('')).includes(line[0]), 'a title of the dropped series is on the list')
      assert.ok((await ids('&hide_dropped_series=false')).includes(line[0]), 'it is there where it is asked for')
      // The box of the page asks for it.
      await page.goto(`${BASE}/users/${id}`)
      await page.getByLabel('Show series I dropped').check()
      const request = page.waitForRequest((one) => one.url().includes('/recommendations') && one.url().includes('hide_dropped_series=false'))
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'For you' }).click()
      await request
    }))

  it('draw a card of what they like best, and save it', () =>
    withPage(browser, { viewport: { width: 390, height: 844 } }, async (page) => {
      const id = await newcomer(page)
      await page.goto(`${BASE}/users/${id}`)
      const card = page.getByRole('region', { name: 'Share card' })
      await card.getByRole('button', { name: 'Draw it' }).click()
      const { items } = await ask(`/users/${id}/history?limit=10`)
      await card.getByRole('img', { name: items[0].anime.title_english ?? items[0].anime.title }).waitFor()
      const [file] = await Promise.all([page.waitForEvent('download'), card.getByRole('button', { name: 'Save the picture' }).click()])
      assert.equal(file.suggestedFilename(), 'my-anime.png')
      // Something is drawn: the covers have many colours.
      const colours = await card.locator('canvas').evaluate((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 200, canvas.width, 340)
        return new Set(Array.from({ length: data.length / 400 }, (_, at) => data.slice(400 * at, 400 * at + 3).join())).size
      })
      assert.ok(colours > 8, `${colours} colours`)
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
