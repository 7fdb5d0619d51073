// What every browser test needs: a browser, a page that is watched, and words for what a reader does.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

import { chromium } from 'playwright-core'

/** Address of the service under test, without a slash at the end. */
export const BASE = (process.env.GARS_URL ?? '').replace(/\/$/, '')
if (!BASE) throw new Error('GARS_URL is not set\n  → run: npm run e2e')

const DEADLINE_MS = Number(process.env.GARS_DEADLINE_MS ?? 15_000)

function executable() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim()
    } catch {
      // Not this one.
    }
  }
  throw new Error('no chromium, chromium-browser or google-chrome on PATH\n  → apt install chromium, or set CHROMIUM')
}

export const launch = () =>
  chromium.launch({
    executablePath: executable(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })

/**
 * Open a page in a context of its own. `finish` closes it and fails if anything was written to the console as an
 * error, thrown, or asked for from another origin than `base` (cover images the API names are allowed: see docs/page.md).
 */
export async function openPage(browser, { base = BASE, asksForCovers = false, ...options } = {}) {
  // A service worker would answer before the routes of a test: those that are about it allow it.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: 'block', ...options })
  context.setDefaultTimeout(DEADLINE_MS)
  // The question about covers is answered, but for the tests of it.
  if (!asksForCovers) await context.addInitScript(() => localStorage.getItem('gars.covers') ?? localStorage.setItem('gars.covers', 'false'))
  const page = await context.newPage()
  const complaints = []
  const expected = []
  // Chromium complains of every 503; "the map is being drawn" is one that the page waits out.
  const isWait = (message) => / 503 /.test(message.text()) && message.location().url.includes('/anime/atlas')
  // Covers may lie at another host, which a machine without a network does not find: the drawn ones stay.
  const isCover = (message) => /net::ERR_/.test(message.text()) && message.location().url !== '' && !message.location().url.startsWith(base + '/')
  page.on('console', (message) => message.type() === 'error' && !isWait(message) && !isCover(message) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(base + '/') || /^(data|blob):/.test(request.url())
    if (!isOwn && request.resourceType() !== 'image') complaints.push(`request to ${request.url()}`)
  })
  return {
    page,
    /** Errors a test provokes on purpose. */
    expect: (pattern) => expected.push(pattern),
    finish: async () => {
      await context.close()
      const surprises = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)))
      assert.deepEqual(surprises, [], 'nothing on the console, no request to anybody else')
    },
  }
}

/** Run `test` on a fresh page and always finish it. */
export async function withPage(browser, options, test) {
  const opened = await openPage(browser, options)
  try {
    await test(opened.page, opened)
  } catch (error) {
    await opened.finish().catch((second) => console.error(second.message))
    throw error
  }
  await opened.finish()
}

/** Ask the API directly, as another client would. */
export async function ask(path, init) {
  const response = await fetch(`${BASE}/api/v1${path}`, init)
  assert.ok(response.ok, `${path} answered ${response.status}`)
  return response.json()
}

/** Do something as another client of the same user. */
export const interact = (event) =>
  ask('/interactions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ event_id: crypto.randomUUID(), ...event }),
  })

/** One of the data set's users, with something in their history. */
export async function someUser(at = 0) {
  const { users } = await ask('/users?limit=20')
  const known = users.filter((user) => user.titles > 0)
  assert.ok(known.length, 'the data set has no users with a history')
  return known[at % known.length].user_id
}

/** Look as a user without going through the first page. */
export const selectViewer = (page, userId) =>
  page.addInitScript((id) => localStorage.setItem('gars.member', JSON.stringify(id)), userId)

/** The first of the other viewers on the start panel, who are loaded once one scrolls near them. */
export async function firstViewer(page) {
  await page.locator('#look-as').scrollIntoViewIfNeeded()
  return page.locator('button[data-user-id]').first()
}

/** The list's cards, and their ids in order, without those that are leaving. */
export const CARD = 'section[aria-label="Recommendations"] > ol > li:not([inert])'
export const cards = (page) => page.locator(CARD)
/** A title of the first visit, to be picked. */
export const PICK = '[aria-label="Titles to pick from"] button'
export const listedIds = (page) =>
  cards(page).evaluateAll((items) => items.map((item) => Number(item.querySelector('a').getAttribute('href').split('/').pop())))

/** Choose an action from the menu of a card: those that are not on its bar. */
export async function otherAction(page, card, name) {
  await card.getByRole('button', { name: /^More actions: / }).click()
  await page.getByRole('dialog', { name: /^More actions: / }).getByRole('button', { name }).click()
}

/** Wait until the list shows other titles, or another order, than `before`. */
export async function waitForOtherList(page, before) {
  await page.waitForFunction(
    (old) => {
      const items = [...document.querySelectorAll('section[aria-label="Recommendations"] > ol > li:not([inert])')]
      const ids = items.map((item) => Number(item.querySelector('a').getAttribute('href').split('/').pop()))
      return ids.length > 0 && JSON.stringify(ids) !== old
    },
    JSON.stringify(before),
  )
  return listedIds(page)
}

/** Mark the document, to see later that it was never loaded anew. */
export async function markDocument(page) {
  await page.evaluate(() => (window.stillHere = true))
  return async () => assert.equal(await page.evaluate(() => window.stillHere), true, 'the page was loaded anew')
}
