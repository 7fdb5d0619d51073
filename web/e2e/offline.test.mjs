// Without a network the page says so, keeps what it shows, and goes on when the network is back.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, interact, launch, listedIds, selectViewer, someUser, waitForOtherList, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

describe('offline', () => {
  it('keeps the list, says what did not go through, and catches up with what happened elsewhere', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource|ERR_INTERNET_DISCONNECTED/)
      const userId = await someUser(7)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).nth(4).waitFor()
      await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' })
      const before = await listedIds(page)

      await page.context().setOffline(true)
      await page.getByText('You are offline.', { exact: false }).first().waitFor()
      await cards(page).nth(2).getByRole('button', { name: /^Not interested: / }).click()
      await page.getByText('You are offline.', { exact: true }).first().waitFor()
      assert.deepEqual(await listedIds(page), before, 'what is shown is kept')

      await interact({ user_id: userId, anime_id: before[4], kind: 'dismiss' })
      await page.context().setOffline(false)
      const after = await waitForOtherList(page, before)
      assert.ok(!after.includes(before[4]), 'what happened elsewhere is not in the list')
      await page.getByRole('button', { name: 'Try again' }).click()
      assert.ok(!(await waitForOtherList(page, after)).includes(before[2]), 'trying again does nothing')
      await interact({ user_id: userId, anime_id: before[4], kind: 'dismiss', undo: true })
    }))

  it('shows a title that did not load by itself once the network is back', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource|ERR_INTERNET_DISCONNECTED/)
      const [anime] = (await ask('/onboarding?k=1')).items
      await selectViewer(page, await someUser(1))
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      await page.getByRole('list', { name: 'Similar anime' }).getByRole('link').first().waitFor()
      await page.context().setOffline(true)
      await page.getByRole('list', { name: 'Similar anime' }).getByRole('link').first().click()
      const alert = page.getByRole('alert').filter({ hasText: 'This title did not load' })
      await alert.getByText('You are offline.').waitFor()
      await page.context().setOffline(false)
      await alert.waitFor({ state: 'detached' })
      await page.getByRole('list', { name: 'Similar anime' }).getByRole('link').first().waitFor()
    }))

  it('shows a notice whose code was not there yet once the network is back', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_FAILED/)
      const [anime] = (await ask('/onboarding?k=1')).items
      await selectViewer(page, await someUser(1))
      const codeFailed = () => page.waitForEvent('requestfailed', (request) => /\/ToastStack-/.test(request.url()))
      await page.route('**/assets/ToastStack-*.js', (route) => route.abort())
      const preloadFailed = codeFailed()
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      await page.getByRole('list', { name: 'Similar anime' }).getByRole('link').first().waitFor()
      await preloadFailed
      await page.context().setOffline(true)
      // The page asks for the code once it has a notice, so its words were chosen without a network.
      const noticeFailed = codeFailed()
      await page.getByRole('button', { name: /^Plan to watch/ }).first().click()
      await noticeFailed
      await page.unroute('**/assets/ToastStack-*.js')
      await page.context().setOffline(false)
      await page.getByText('You are offline.', { exact: true }).first().waitFor()
      await page.getByRole('button', { name: 'Try again' }).first().waitFor()
    }))

  it('opens again without a network, with no answer of the API from before', () =>
    withPage(browser, { serviceWorkers: 'allow' }, async (page, { expect }) => {
      expect(/Failed to load resource|ERR_INTERNET_DISCONNECTED/)
      const userId = await someUser(6)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).nth(4).waitFor()
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
      // The files that were loaded before the worker was there are kept too.
      await page.waitForFunction(async () => (await (await caches.open('gars-files-1')).keys()).some(({ url }) => /HomeShelves/.test(url)))
      await page.context().setOffline(true)
      await page.reload()
      await page.getByText('You are offline.', { exact: false }).first().waitFor()
      assert.equal(await cards(page).count(), 0, 'a list from before is shown')
      const kept = await page.evaluate(async () => (await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat())
      assert.deepEqual(kept.filter((path) => path !== '/' && !path.startsWith('/assets/')), [], 'something else than files of the page is kept')
      await page.context().setOffline(false)
      await cards(page).nth(4).waitFor()
    }))

  it('can be installed: a manifest with icons that are there', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(`${BASE}/start`)
      const address = await page.locator('link[rel=manifest]').getAttribute('href')
      const manifest = await page.evaluate(async (url) => (await fetch(url)).json(), address)
      assert.equal(manifest.display, 'standalone')
      assert.ok(manifest.icons.some(({ purpose }) => purpose === 'maskable'))
      for (const { src, sizes } of manifest.icons) {
        const size = await page.evaluate(async (url) => {
          const image = await createImageBitmap(await (await fetch(url)).blob())
          return `${image.width}x${image.height}`
        }, src)
        assert.equal(size, sizes)
      }
    }))
})
