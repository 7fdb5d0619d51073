// The season: what is on now by day, what comes, and a plan from there.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, launch, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const ids = (locator) => locator.locator('article > a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))

describe('the season', () => {
  it('shows what is on by weekday, today first, and what comes by date', () =>
    withPage(browser, { viewport: { width: 390, height: 844 } }, async (page) => {
      const { today, on, later } = await ask('/anime/calendar?k=100')
      await page.goto(`${BASE}/explore`)
      await page.getByRole('link', { name: 'This season' }).click()
      await page.getByRole('heading', { level: 1, name: 'This season' }).waitFor()
      if (on.length + later.length === 0) return page.getByRole('heading', { name: 'The catalogue ends before this season' }).waitFor()
      if (on.length) {
        await page.getByRole('heading', { name: 'On now' }).waitFor()
        const weekday = (iso) => new Date(`${iso}T12:00:00`).toLocaleDateString('en', { weekday: 'long' })
        const days = [...new Set(on.map(({ released }) => (released ? weekday(released) : 'Day not known')))]
        for (const day of days) {
          const wanted = on.filter(({ released }) => (released ? weekday(released) : 'Day not known') === day)
          assert.deepEqual(await ids(page.getByRole('list', { name: day, exact: true })), wanted.map(({ anime }) => anime.anime_id))
        }
        if (days.includes(weekday(today))) await page.getByRole('heading', { level: 3, name: weekday(today) }).getByText('today').waitFor()
      }
      const coming = page.getByRole('region', { name: 'Coming' })
      assert.deepEqual((await ids(coming)).toSorted((a, b) => a - b), later.map(({ anime }) => anime.anime_id).toSorted((a, b) => a - b))
      for (const month of new Set(later.filter(({ released }) => released).map(({ released }) => released.slice(0, 7)))) {
        const name = new Date(`${month}-01T12:00:00`).toLocaleDateString('en', { month: 'long', year: 'numeric' })
        const wanted = later.filter(({ released }) => released?.startsWith(month)).map(({ anime }) => anime.anime_id)
        assert.deepEqual(await ids(coming.getByRole('list', { name })), wanted)
      }
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390)
    }))
})

describe('links to other sites', () => {
  it('begin with the site where the reader keeps their list', () =>
    withPage(browser, {}, async (page) => {
      const { items } = await ask('/onboarding?k=20')
      let anime
      for (const item of items) {
        anime ??= (await ask(`/anime/${item.anime_id}`)).links.anilist ? item : undefined
      }
      if (!anime) return // the catalogue knows no ids of another site
      const first = page.getByRole('list', { name: 'Elsewhere' }).getByRole('link').first()
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      await first.getByText('MyAnimeList').waitFor()
      await page.evaluate(() => localStorage.setItem('gars.site', '"anilist"'))
      await page.reload()
      await first.getByText('AniList').waitFor()
    }))
})
