// An upgrade while a tab is open, with the service worker on: the files that the tab would load next are gone.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { cards, launch, selectViewer, withPage } from './browser.mjs'
import { createFakeService, DIST } from './fake-service.mjs'

const HASHED = /-([\w-]{8})\.(?:js|css)$/
const TEXT = /\.(?:js|css|html)$/

/** Copy the built page, and give every script and style another hash, as a build of changed code has. */
async function otherBuild() {
  const folder = await mkdtemp(join(tmpdir(), 'gars-upgrade-'))
  await cp(DIST, folder, { recursive: true })
  const files = (await readdir(folder, { recursive: true })).filter((name) => TEXT.test(name))
  const hashes = new Map(files.flatMap((name) => HASHED.exec(name)?.[1] ?? []).map((hash) => [hash, `Z${hash.slice(0, 7)}`]))
  const renewed = (text) => text.replace(/-([\w-]{8})(?=\.(?:js|css))/g, (whole, hash) => (hashes.has(hash) ? `-${hashes.get(hash)}` : whole))
  for (const name of files) {
    const file = join(folder, name)
    await writeFile(file, renewed(await readFile(file, 'utf8')))
    await rename(file, join(folder, renewed(name)))
  }
  return folder
}

/** The page of the old build without the scripts of views: an upgrade that has only half arrived. */
async function halfBuild() {
  const folder = await mkdtemp(join(tmpdir(), 'gars-upgrade-'))
  await cp(DIST, folder, { recursive: true })
  for (const name of await readdir(join(folder, 'assets'))) if (/^(GroupView)/.test(name)) await rm(join(folder, 'assets', name))
  return folder
}

let browser, next, half
before(async () => ([browser, next, half] = await Promise.all([launch(), otherBuild(), halfBuild()])))
after(() => Promise.all([browser.close(), ...[next, half].map((folder) => rm(folder, { recursive: true }))]))

/** Open the list on the old build in a page with a service worker, which has the page's files; count documents loaded after that. */
const withOpenTab = async (test) => {
  const service = createFakeService()
  const base = await service.listen()
  try {
    await withPage(browser, { base, serviceWorkers: 'allow' }, async (page, { expect }) => {
      expect(/Failed to load resource.*(404|ERR_INTERNET_DISCONNECTED)|dynamically imported module/)
      await selectViewer(page, '1')
      await page.goto(base)
      await cards(page).nth(4).waitFor()
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
      await page.waitForFunction(async () => (await (await caches.open('gars-files-1')).keys()).some(({ url }) => /HomeShelves/.test(url)))
      const loaded = []
      page.on('request', (request) => request.isNavigationRequest() && loaded.push(new URL(request.url()).pathname))
      await test(page, service, loaded)
    })
  } finally {
    await service.close()
  }
}

const open = (page, name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
const heading = (page, name) => page.getByRole('heading', { level: 1, name })
const message = (page) => page.getByTestId('chunk-failed')

describe('an upgrade with a tab open', { skip: process.env.GARS_URL_IS_REAL ? 'the builds are served by the stand-in' : false }, () => {
  it('loads the page anew once, at the view that was asked for, and goes on from there', () =>
    withOpenTab(async (page, service, loaded) => {
      service.servePageFrom(next)
      await open(page, 'Group night')
      await heading(page, 'Group night').waitFor()
      assert.deepEqual(loaded, ['/group'])
      assert.equal(await message(page).count(), 0)
      const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /GroupView/.test(name)))
      assert.ok(scripts.length && scripts.every((name) => /-Z[\w-]{7}\.js$/.test(name)), `the view is of the old build: ${scripts}`)
      await open(page, 'Explore')
      await page.locator('p:has-text("In view") a').first().waitFor()
      await page.goBack()
      await heading(page, 'Group night').waitFor()
      assert.deepEqual(loaded, ['/group'], 'the page is loaded again and again')
    }))

  it('shows an error where that does not help, and goes on with a press of the button once it does', () =>
    withOpenTab(async (page, service, loaded) => {
      service.servePageFrom(half)
      await open(page, 'Group night')
      await message(page).waitFor()
      assert.deepEqual(loaded, ['/group'], 'it is loaded anew once')
      service.servePageFrom(next)
      await message(page).getByRole('button', { name: 'Reload' }).click()
      await heading(page, 'Group night').waitFor()
      assert.equal(await message(page).count(), 0)
    }))

  it('shows an error where a part of the view that is shown is gone, without taking the view away', () =>
    withOpenTab(async (page, service, loaded) => {
      await cards(page).nth(2).getByRole('button', { name: /^Like: / }).click()
      const details = page.getByRole('button', { name: 'Details' })
      await details.waitFor()
      service.servePageFrom(next)
      await details.click()
      await message(page).waitFor()
      assert.deepEqual(loaded, [])
      await cards(page).nth(4).waitFor()
      await message(page).getByRole('button', { name: 'Reload' }).click()
      await cards(page).nth(4).waitFor()
      await message(page).waitFor({ state: 'detached' })
    }))

  it('keeps the new page for when there is no network', () =>
    withOpenTab(async (page, service) => {
      service.servePageFrom(next)
      await page.reload()
      await cards(page).nth(4).waitFor()
      await page.waitForFunction(async () => /-Z[\w-]{7}\.js/.test(await (await caches.match('/', { cacheName: 'gars-shell-1' })).text()))
      await page.context().setOffline(true)
      await page.reload()
      await page.getByText('You are offline.', { exact: false }).first().waitFor()
      await page.context().setOffline(false)
      await cards(page).nth(4).waitFor()
    }))
})
