// The actions of a title's card: each is stored, and each can be undone.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, launch, listedIds, selectViewer, otherAction, someUser, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** Each action: the button's name, and what the history then holds. */
const ACTIONS = [
  ['Like', { reaction: 1 }],
  ['Dislike', { reaction: -1 }],
  ['Seen it', { seen: true }],
  ['Not interested', { dismissed: true }],
  ['Plan to watch', { status: 'planned' }],
  ['Rate', { rating: 8 }],
]

const NOTHING = { rating: null, status: null, reaction: null, seen: false, dismissed: false }

async function held(userId, animeId) {
  const { items } = await ask(`/users/${userId}/history?limit=200`)
  const found = items.find(({ anime }) => anime.anime_id === animeId) ?? NOTHING
  return Object.fromEntries(Object.keys(NOTHING).map((name) => [name, found[name]]))
}

describe('an action on a card', () => {
  for (const [at, [name, wanted]] of ACTIONS.entries()) {
    it(`${name}: is kept, and taken back by Undo`, () =>
      withPage(browser, {}, async (page) => {
        const userId = await someUser(at)
        await selectViewer(page, userId)
        await page.goto(BASE)
        await cards(page).nth(4).waitFor()
        const id = (await listedIds(page))[3]
        const kept = page.waitForResponse((response) => response.url().endsWith('/interactions') && response.ok())
        const card = cards(page).nth(3)
        if (name === 'Rate') await otherAction(page, card, /^8 of 10/)
        else if (await card.getByRole('button', { name: new RegExp(`^${name}: `) }).count()) await card.getByRole('button', { name: new RegExp(`^${name}: `) }).click()
        else await otherAction(page, card, new RegExp(`^${name}: `))
        await kept
        assert.deepEqual(await held(userId, id), { ...NOTHING, ...wanted })
        const undone = page.waitForResponse((response) => response.url().endsWith('/interactions') && response.ok())
        await page.getByRole('button', { name: 'Undo' }).click()
        await undone
        assert.deepEqual(await held(userId, id), NOTHING)
        await page.getByText(/^Taken back/).first().waitFor()
      }))
  }

  it('looks pressed on the page of a title, each of them', () =>
    withPage(browser, { reducedMotion: 'reduce' }, async (page) => {
      await selectViewer(page, `visitor-${crypto.randomUUID()}`)
      const [anime] = (await ask('/onboarding?k=1')).items
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      const bar = page.getByRole('toolbar').first()
      const colours = (name) => bar.getByRole('button', { name }).evaluate((button) => getComputedStyle(button).backgroundColor)
      for (const name of [/^Like: /, /^Seen it: /, /^Not interested: /, /^Plan to watch: /, /^Dislike: /]) {
        const before = await colours(name)
        await bar.getByRole('button', { name }).click()
        await bar.locator('button[aria-pressed="true"]').and(bar.getByRole('button', { name })).waitFor()
        await page.mouse.move(0, 0)
        await page.waitForFunction(([label, old]) => [...document.querySelectorAll('[role=toolbar] button')].some((one) => one.getAttribute('aria-label').startsWith(label) && getComputedStyle(one).backgroundColor !== old), [name.source.slice(1), before])
      }
    }))

  it('marks it as seen in the history, which can be taken back there too', () =>
    withPage(browser, {}, async (page) => {
      const id = `visitor-${crypto.randomUUID()}`
      const [{ anime_id: anime, title }] = (await ask('/onboarding?k=1')).items
      await ask('/interactions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user_id: id, anime_id: anime, kind: 'seen' }) })
      await page.addInitScript((text) => localStorage.setItem('gars.visitor', text), JSON.stringify({ id, picks: [], started: true }))
      await page.goto(`${BASE}/users/${id}`)
      const history = page.getByRole('list', { name: 'History' })
      await history.getByText('seen', { exact: true }).waitFor()
      await history.getByRole('button', { name: /^Take back/ }).click()
      await history.waitFor({ state: 'detached' })
      assert.deepEqual(await held(id, anime), NOTHING, `${title} is still marked as seen`)
    }))
})
