// The first minute of a newcomer, all three ways, from an empty browser to a list of their own. Times are printed.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, launch, listedIds, withPage } from './browser.mjs'
import { drop, exported } from './exported.mjs'
import { film } from './stepList.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** A reader whose list the service can fetch by name without asking AniList. */
const READER = process.env.GARS_URL_IS_REAL ? process.env.GARS_LIST_NAME : 'mina'

const ownId = (page) => page.evaluate(() => JSON.parse(localStorage.getItem('gars.visitor')).id)

/** What is on the screen is the newcomer's own: made from `known`, without them, and unlike what everybody gets. */
async function assertPersonal(page, known) {
  const id = await ownId(page)
  const listed = await listedIds(page)
  assert.ok(known.every((anime) => !listed.includes(anime)), 'what they know is recommended')
  assert.deepEqual(listed, (await ask(`/users/${id}/recommendations?k=${listed.length}`)).items.map(({ anime }) => anime.anime_id))
  const popular = await ask(`/users/unknown-${id}/recommendations?k=${listed.length}`)
  assert.equal(await page.evaluate(() => window.scrollY), 0, 'the list does not begin at its top')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'the keyboard is not at the list')
  assert.notDeepEqual(listed, popular.items.map(({ anime }) => anime.anime_id), 'the list is what everybody gets')
}

describe('the first minute', () => {
  it('leads from a name at another site to a list', { skip: READER ? false : 'GARS_LIST_NAME is not set: the service would ask AniList' }, () =>
    withPage(browser, {}, async (page) => {
      const { act, see, cut } = film(page, 'a name')
      const bring = page.getByRole('region', { name: /^Already keep a list/ })
      await act('opens the address', () => page.goto(BASE))
      await see('where a name can be given', () => bring.getByRole('textbox').waitFor())
      await act('gives the name of their list at AniList', () => bring.getByRole('textbox', { name: 'AniList user name' }).fill(READER))
      await act('asks for it', () => bring.getByRole('button', { name: 'Get my list' }).click())
      await see('what became of each title', () => bring.getByRole('heading', { name: /^\d+ titles taken from AniList/ }).waitFor())
      await act('asks for the recommendations', () => bring.getByRole('button', { name: 'Show my list' }).click())
      await see('a list of their own', () => cards(page).nth(9).waitFor())
      assert.equal(cut().length, 7)
      const { items } = await ask(`/users/${await ownId(page)}/history?limit=100`)
      assert.ok(items.length >= 10, 'the list has not arrived')
      await assertPersonal(page, items.map(({ anime }) => anime.anime_id))
    }))

  it('says so when no reader has that name, and keeps the name', { skip: READER ? false : 'GARS_LIST_NAME is not set: the service would ask AniList' }, () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/status of 400/)
      const bring = page.getByRole('region', { name: /^Already keep a list/ })
      await page.goto(BASE)
      await bring.getByRole('textbox').fill('no-such-reader')
      await bring.getByRole('textbox').press('Enter')
      await bring.getByRole('alert').getByText('There is no public list by this name.').waitFor()
      assert.equal(await bring.getByRole('textbox').inputValue(), 'no-such-reader')
    }))

  it('leads from three picks to a list', () =>
    withPage(browser, {}, async (page) => {
      const { act, see, cut } = film(page, 'three picks')
      const titles = page.getByRole('list', { name: 'Titles to pick from' })
      const pick = async (at, count) => {
        await titles.getByRole('button').nth(at).click()
        await page.getByText(`${count} picked`).waitFor()
      }
      await act('opens the address', () => page.goto(BASE))
      await see('titles to pick from', () => titles.getByRole('button').first().waitFor())
      await act('picks a title', () => pick(2, 1))
      await act('picks a second', () => pick(7, 2))
      await act('picks a third', () => pick(12, 3))
      await act('asks for the list', () => page.getByRole('button', { name: 'Show my list' }).click())
      await see('a list of their own', () => cards(page).nth(9).waitFor())
      assert.equal(cut().length, 7)
      const { picks } = await page.evaluate(() => JSON.parse(localStorage.getItem('gars.visitor')))
      assert.equal(picks.length, 3)
      await assertPersonal(page, picks)
    }))

  it('leads from a dropped export to a list', () =>
    withPage(browser, {}, async (page) => {
      const { items, xml } = await exported(24)
      const { act, see, cut } = film(page, 'a dropped export')
      const bring = page.getByRole('region', { name: /^Already keep a list/ })
      await act('opens the address', () => page.goto(BASE))
      await see('where a list can be dropped', () => bring.waitFor())
      await act('drops the export of MyAnimeList', () => drop(page, 'animelist.xml', xml))
      await see('what became of each title', () => bring.getByRole('heading', { name: `${items.length} titles taken from MyAnimeList XML export` }).waitFor())
      await act('asks for the list', () => bring.getByRole('button', { name: 'Show my list' }).click())
      await see('a list of their own', () => cards(page).nth(9).waitFor())
      assert.equal(cut().length, 6)
      await assertPersonal(page, items.map(({ anime_id }) => anime_id))
    }))
})
