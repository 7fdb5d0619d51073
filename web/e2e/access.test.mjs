// Everybody gets in: the keyboard alone, a screen reader, a phone, both themes, less motion.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, firstViewer, interact, launch, listedIds, selectViewer, someUser, waitForOtherList, withPage } from './browser.mjs'
import { ADMIN } from './fake-operator.mjs'
import { waitForQuiet } from './measure.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** Press Tab until `selector` has the focus. */
async function tabTo(page, selector, most = 60) {
  for (let presses = 0; presses < most; presses++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return
  }
  assert.fail(`${most} tabs do not reach ${selector}`)
}

describe('the keyboard alone', () => {
  it('searches, likes, opens and undoes', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(4))
      await page.goto(BASE)
      await cards(page).first().waitFor()

      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Skip to content')
      await page.keyboard.press('Enter')
      await tabTo(page, 'section[aria-label="Recommendations"] li a')
      const before = await listedIds(page)
      await tabTo(page, '[role=toolbar] button')
      await page.keyboard.press('ArrowRight')
      assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /^Plan to watch: /)
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Enter')
      await waitForOtherList(page, before)
      await page.waitForFunction(() => document.activeElement.closest('section[aria-label="Recommendations"] li:not([inert])'))

      await page.keyboard.press('Enter')
      await page.locator('aside').getByRole('heading', { level: 2 }).waitFor()
      await page.keyboard.press('Escape')
      await page.locator('aside').waitFor({ state: 'detached' })

      await page.keyboard.press('Control+k')
      const [anime] = (await ask('/onboarding?k=1')).items
      await page.keyboard.type(anime.title)
      await page.getByRole('option').first().waitFor()
      await waitForQuiet(page) // a later answer to the words typed so far would begin the choice anew
      await page.keyboard.press('ArrowDown')
      assert.equal(await page.evaluate(() => document.querySelector('[role=option]').getAttribute('aria-selected')), 'true')
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/anime\/\d+$/)
    }))
})

describe('the keyboard alone, from the first visit', () => {
  it('picks, gets a list, rates, and looks at what moved', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      const titles = page.getByRole('list', { name: 'Titles to pick from' }).getByRole('button')
      await titles.first().waitFor()
      await tabTo(page, 'ul[aria-label="Titles to pick from"] button')
      for (const count of [1, 2, 3]) {
        await page.keyboard.press('Enter')
        await page.getByText(`${count} picked`).waitFor()
        await page.keyboard.press('Tab')
      }
      await tabTo(page, '.sticky button')
      await page.keyboard.press('Enter')
      await cards(page).first().waitFor()

      const before = await listedIds(page)
      await tabTo(page, 'section[aria-label="Recommendations"] [role=toolbar] button')
      await page.keyboard.press('End')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: '1 of 10', exact: false }).first().waitFor()
      await tabTo(page, '[role=dialog] button[aria-label^="1 of 10"]')
      await page.keyboard.press('Enter')
      await waitForOtherList(page, before)

      await page.getByRole('button', { name: 'Details' }).waitFor()
      await page.evaluate(() => document.getElementById('main').focus())
      await tabTo(page, 'p:has([data-testid="live-story"]) button')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog', { name: 'Details' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Details', 'the focus is lost')
    }))
})

/** Fail if something is wider than the screen, and name it. */
async function assertFits(page) {
  const [width, over, wide] = await page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const clipped = (element) => element !== null && (getComputedStyle(element).overflowX !== 'visible' || clipped(element.parentElement))
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > width + 0.5 && !clipped(element.parentElement))
    return [width, document.documentElement.scrollWidth - width, wide.slice(0, 3).map((element) => element.outerHTML.slice(0, 160))]
  })
  assert.equal(over, 0, `the page is wider than ${width} pixels: ${wide.join(', ')}`)
}

/** How much of the height of the screen is under bars that do not scroll away. */
function coveredHeight() {
  const rows = new Set()
  for (const element of document.querySelectorAll('body *')) {
    if (!['fixed', 'sticky'].includes(getComputedStyle(element).position)) continue
    const { top, bottom, width } = element.getBoundingClientRect()
    if (width < 32) continue
    for (let row = Math.max(0, Math.floor(top)); row < Math.min(window.innerHeight, bottom); row++) rows.add(row)
  }
  return rows.size
}

/** Somebody who did one thing to each of the first titles. */
async function newViewer(...deeds) {
  const viewer = `axe-${crypto.randomUUID()}`
  const titles = (await ask(`/onboarding?k=${deeds.length}`)).items
  for (const [at, deed] of deeds.entries()) await interact({ user_id: viewer, anime_id: titles[at].anime_id, ...deed })
  return viewer
}

/** What axe finds wrong, in both themes. */
async function violationsIn(page) {
  await page.evaluate(AXE)
  const found = []
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await page.evaluate(() => Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => undefined))))
    const { violations } = await page.evaluate(() =>
      window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    )
    found.push(...violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ target, failureSummary }) => `${colorScheme}: ${id}: ${target} ${failureSummary}`)))
  }
  return found
}

const VIEWS = {
  start: { path: () => '/start', ready: firstViewer },
  list: { path: () => '/', ready: (page) => cards(page).first() },
  'list with filters': { path: () => '/?year_min=2000', ready: (page) => page.getByRole('button', { name: /^Filters/ }), open: (page) => page.getByRole('group', { name: /Genres/ }).getByRole('button').first() },
  anime: { path: async () => `/anime/${(await ask('/onboarding?k=1')).items[0].anime_id}`, ready: (page) => page.getByRole('list', { name: 'Similar anime' }) },
  search: { path: async () => `/search?q=${(await ask('/onboarding?k=1')).items[0].title}`, ready: (page) => page.getByRole('list', { name: 'Titles found' }) },
  viewer: { path: async () => `/users/${await someUser(0)}`, ready: (page) => page.getByRole('list', { name: 'History' }) },
  explore: { path: () => '/explore', ready: (page) => page.locator('p:has-text("In view") a').first() },
  group: { path: async () => `/group?member=${await someUser(0)}&member=${await someUser(1)}`, ready: (page) => page.getByRole('list', { name: 'For all of you' }) },
  comparison: { path: async () => `/users/${await someUser(1)}/compare`, ready: (page) => page.getByRole('list', { name: 'Watch together' }) },
  'invitation to compare': { path: async () => `/users/${await someUser(0)}/compare`, ready: (page) => page.getByRole('region', { name: 'Choose somebody' }).getByRole('listitem').first() },
  'invitation to a group': { path: async () => `/group?member=${await someUser(1)}`, ready: (page) => page.getByRole('button', { name: 'Join' }) },
  'titles that were hidden': {
    viewer: () => newViewer({ kind: 'like' }, { kind: 'dismiss' }),
    path: (viewer) => `/users/${viewer}?show=hidden`,
    ready: (page) => page.getByRole('list', { name: 'History' }).getByRole('listitem').first(),
  },
  season: { path: () => '/season', ready: (page) => page.getByRole('heading', { name: /^(On now|The catalogue ends)/ }) },
  plan: {
    viewer: () => newViewer({ kind: 'like' }, ...Array(5).fill({ kind: 'status', value: 'planned' })),
    path: () => '/plan',
    ready: async (page) => {
      await page.getByText('More genres').click()
      await page.getByRole('slider').last().press('End')
      await page.getByRole('button', { name: 'Pick one for tonight' }).click()
      return page.getByRole('status').getByText(/^Tonight: /)
    },
  },
  'share card': {
    viewer: () => newViewer({ kind: 'like' }),
    path: (viewer) => `/users/${viewer}`,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Draw it' }).click()
      return page.getByRole('img', { name: /^Share card with / })
    },
  },
  'question about covers': {
    asksForCovers: true,
    path: () => '/',
    ready: (page) => page.getByRole('region', { name: 'Show the real covers?' }),
  },
  operator: { path: () => '/admin', ready: (page) => page.getByLabel('Operator’s token') },
  'operator inside': {
    path: () => '/admin',
    token: ADMIN,
    ready: (page) => page.getByRole('region', { name: 'Models' }).getByText('serving'),
    skip: process.env.GARS_URL_IS_REAL && !process.env.GARS_ADMIN_TOKEN ? 'GARS_ADMIN_TOKEN is not set' : false,
  },
  'explore with filters': { path: () => '/explore?year_max=1901&min_score=6', ready: (page) => page.getByRole('list', { name: 'Loosen one of these:' }).getByRole('button').first(), open: (page) => page.getByRole('group', { name: /Genres/ }).getByRole('button').first() },
  'not found': { path: () => '/nothing/here', ready: (page) => page.getByRole('heading', { name: 'Nothing at this address' }) },
}

for (const width of [1440, 390]) {
  describe(`${width} wide`, () => {
    for (const [name, { viewer = () => someUser(0), path, ready, token, open, asksForCovers = false, skip = false }] of Object.entries(VIEWS)) {
      it(`${name} passes axe in both themes and fits the screen`, { skip }, () =>
        withPage(browser, { viewport: { width, height: 900 }, reducedMotion: 'reduce', asksForCovers }, async (page, { expect }) => {
          const userId = await viewer()
          await selectViewer(page, userId)
          if (asksForCovers) await page.route('**/api/v1/about', async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), covers: 'ask' } }))
          if (token) {
            expect(/Failed to load resource.*404/) // no A/B test may run
            await page.addInitScript((text) => sessionStorage.setItem('gars.admin-token', text), token)
          }
          await page.goto(BASE + (await path(userId)))
          await (await ready(page)).waitFor()
          await page.getByRole('button', { name: 'Settings' }).waitFor()
          if (open && width < 1024) {
            await page.getByRole('button', { name: /^Filters/ }).click()
            await open(page).waitFor()
          }
          await page.waitForFunction(() => !document.querySelector('.skeleton') || document.querySelector('section[aria-label="Recommendations"]'))
          assert.deepEqual(await violationsIn(page), [])
          await assertFits(page)
          if (width > 500) return
          // A page at 400 % of a screen of 1280 × 1024, and of one whose height is that of a phone on its side.
          for (const height of [640, 256]) {
            await page.setViewportSize({ width: 320, height })
            await assertFits(page)
          }
          const covered = await page.evaluate(coveredHeight)
          assert.ok(covered <= 64 || open, `bars that stay cover ${covered} of 256 pixels`)
        }))
    }
  })
}

describe('dialogs and menus', () => {
  it('pass axe when open', () =>
    withPage(browser, { reducedMotion: 'reduce' }, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(BASE)
      await cards(page).nth(4).getByRole('button', { name: /^Like: / }).click()
      await page.getByRole('button', { name: 'Details' }).click()
      await page.getByRole('dialog', { name: 'Details' }).waitFor()
      await page.evaluate(AXE)
      const run = () => page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }))
      const names = ({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}`)
      assert.deepEqual(names(await run()), [])
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByRole('dialog', { name: 'Settings' }).waitFor()
      assert.deepEqual(names(await run()), [])
      await page.keyboard.press('Escape')
      await page.getByRole('combobox').fill('a')
      await page.getByRole('option').first().waitFor()
      assert.deepEqual(names(await run()), [])
    }))

  it('keeps the theme chosen over a reload', () =>
    withPage(browser, { colorScheme: 'dark' }, async (page) => {
      await page.goto(BASE)
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByText('Light', { exact: true }).click()
      await page.reload()
      await page.getByRole('button', { name: 'Settings' }).waitFor()
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light')
    }))
})
