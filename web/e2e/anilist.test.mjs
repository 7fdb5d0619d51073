// Sign-in at AniList: the token stays in the browser, changes are written there, and none is lost while it is away.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { launch, withPage } from './browser.mjs'
import { createFakeAniList, TOKEN } from './fake-anilist.mjs'
import { createFakeService } from './fake-service.mjs'

const OWN = 'visitor-00000000-0000-4000-8000-000000000000'
const [BEBOP, BROTHERHOOD] = [1, 5114]
const anilist = createFakeAniList()
let browser, base, service
before(async () => {
  const address = await anilist.listen()
  service = createFakeService({ anilist: { client_id: '12', authorize_url: `${address}/authorize`, api_url: `${address}/graphql` } })
  ;[browser, base] = await Promise.all([launch(), service.listen()])
  anilist.redirect = `${base}/anilist`
})
after(() => Promise.all([browser.close(), service.close(), anilist.close()]))

const panel = (page, name) => page.getByRole('region', { name })
const waiting = (page) => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('gars.anilist.change.')).length)

/** A page of the reader's own; `requests` collects the requests to GARS. */
async function open(page, { expect }, requests = []) {
  expect(/request to http:\/\/127\.0\.0\.1:\d+\/(authorize|graphql)/)
  expect(/Failed to load resource.*(400|404|429|503)/)
  page.on('request', (request) => request.url().startsWith(base) && requests.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`))
  await page.addInitScript((id) => localStorage.getItem('gars.visitor') ?? localStorage.setItem('gars.visitor', JSON.stringify({ id, picks: [1, 2, 3], started: true, imported: false })), OWN)
  await page.goto(`${base}/users/${OWN}`)
}
async function signIn(page) {
  await page.getByRole('button', { name: 'Sign in at AniList' }).click()
  await panel(page, 'Signed in at AniList as Fan').waitFor()
}
async function plan(page, id, title) {
  await page.goto(`${base}/anime/${id}`)
  await page.getByRole('button', { name: `Plan to watch: ${title}` }).first().click()
}
/** Wait for something at the stand-in. */
async function until(what, message) {
  for (const end = Date.now() + Number(process.env.GARS_DEADLINE_MS ?? 15_000); Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) if (what()) return
  assert.fail(message)
}
/** Forget the list here and at AniList: planning a title again would take the plan back. */
const fresh = async () => {
  await fetch(`${base}/api/v1/users/${OWN}`, { method: 'DELETE' })
  anilist.list.clear()
  anilist.asked.length = 0
  Object.assign(anilist, { mode: 'up', denies: false, lacks: new Set() })
}

describe('AniList', { skip: process.env.GARS_URL_IS_REAL ? 'against a stand-in of AniList' : false }, () => {
  it('is signed in at, without GARS ever getting the token', () =>
    withPage(browser, { base }, async (page, opened) => {
      await fresh()
      const requests = []
      await open(page, opened, requests)
      await panel(page, 'Your list at AniList').waitFor()
      await signIn(page)
      assert.equal(page.url(), `${base}/users/${OWN}`)
      await plan(page, BROTHERHOOD, 'Fullmetal Alchemist: Brotherhood')
      await until(() => anilist.list.get(BROTHERHOOD)?.status === 'PLANNING', 'it was not written')
      assert.ok(anilist.asked.every(({ authorization }) => authorization === `Bearer ${TOKEN}`))
      assert.deepEqual(requests.filter((line) => line.includes(TOKEN)), [])
      assert.equal(await page.evaluate((token) => Object.values(localStorage).filter((value) => value.includes(token)).length, TOKEN), 1)
      await page.getByRole('button', { name: 'Undo' }).click()
      await until(() => !anilist.list.has(BROTHERHOOD), 'what this browser added is taken off again')
      await page.goto(`${base}/users/${OWN}`)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await panel(page, 'Your list at AniList').waitFor()
      assert.equal(await page.evaluate(() => localStorage.getItem('gars.anilist')), 'null')
    }))

  it('keeps what is at AniList already: planning changes no status, undo brings the old one back', () =>
    withPage(browser, { base }, async (page, opened) => {
      await fresh()
      anilist.list.set(BEBOP, { id: 500, status: 'CURRENT', score: 60, progress: 7 })
      await open(page, opened)
      await signIn(page)
      await plan(page, BEBOP, 'Cowboy Bebop')
      await until(() => anilist.asked.length === 2, 'it looks first')
      await page.getByRole('button', { name: 'Undo' }).click()
      await until(() => anilist.asked.length === 3, 'it looks first')
      assert.deepEqual(anilist.list.get(BEBOP), { id: 500, status: 'CURRENT', score: 60, progress: 7 })
      await page.getByRole('button', { name: /Rate: Cowboy Bebop$/ }).click()
      await page.getByRole('dialog').getByRole('button', { name: /^9/ }).or(page.getByRole('dialog').getByRole('radio', { name: /^9/ })).first().click()
      await until(() => anilist.list.get(BEBOP).score === 90, 'the score was not written')
      assert.equal(anilist.list.get(BEBOP).status, 'CURRENT')
      await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith('gars.anilist.change.')))
    }))

  for (const mode of ['down', 'busy']) {
    it(`keeps changes while AniList is ${mode}, over a reload too`, () =>
      withPage(browser, { base }, async (page, opened) => {
        await fresh()
        await open(page, opened)
        await signIn(page)
        anilist.mode = mode
        await plan(page, BROTHERHOOD, 'Fullmetal Alchemist: Brotherhood')
        await page.getByText('AniList does not answer right now.').first().waitFor()
        assert.equal(await waiting(page), 1)
        await page.goto(`${base}/users/${OWN}`)
        await page.getByText('1 change waits to be written to AniList.').first().waitFor()
        anilist.mode = 'up'
        await panel(page, 'Signed in at AniList as Fan').getByRole('button', { name: 'Try again' }).click()
        await until(() => anilist.list.get(BROTHERHOOD)?.status === 'PLANNING', 'it was not written later')
        await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith('gars.anilist.change.')))
      }))
  }

  it('says that the sign-in has ended, and writes what waits after the next', () =>
    withPage(browser, { base }, async (page, opened) => {
      await fresh()
      await open(page, opened)
      await signIn(page)
      anilist.mode = 'ended'
      await plan(page, BROTHERHOOD, 'Fullmetal Alchemist: Brotherhood')
      await page.getByText('Your sign-in at AniList has ended.').first().waitFor()
      await page.goto(`${base}/users/${OWN}`)
      await page.getByText('Your sign-in at AniList has ended.').first().waitFor()
      anilist.mode = 'up'
      await panel(page, 'Signed in at AniList as Fan').getByRole('button', { name: 'Sign in at AniList' }).click()
      await until(() => anilist.list.get(BROTHERHOOD)?.status === 'PLANNING', 'it was not written after the sign-in')
    }))

  it('lists what AniList refuses, with the reason, until the reader leaves it out', () =>
    withPage(browser, { base }, async (page, opened) => {
      await fresh()
      anilist.lacks.add(BEBOP)
      await open(page, opened)
      await signIn(page)
      await plan(page, BEBOP, 'Cowboy Bebop')
      await page.getByText('Cowboy Bebop was not written to AniList').first().waitFor()
      await page.goto(`${base}/users/${OWN}`)
      const refused = page.getByRole('list', { name: 'Not written to AniList' })
      await refused.getByText('AniList does not have this title.').waitFor()
      await refused.getByRole('button', { name: 'Leave it out' }).click()
      await refused.waitFor({ state: 'detached' })
      assert.equal(await waiting(page), 0)
    }))

  it('takes no token that this tab did not ask for, and tells of a refusal', () =>
    withPage(browser, { base }, async (page, opened) => {
      await fresh()
      await open(page, opened)
      await page.goto(`${base}/anilist#access_token=of-somebody-else&state=guessed`)
      await page.getByText('This sign-in was not begun on this page, or it took too long.').waitFor()
      assert.equal(page.url(), `${base}/anilist`)
      assert.deepEqual(anilist.asked, [])
      anilist.denies = true
      await page.goto(`${base}/users/${OWN}`)
      await page.getByRole('button', { name: 'Sign in at AniList' }).click()
      await page.getByText('You did not allow it at AniList.').waitFor()
    }))
})
