// Finding titles: with typos, in Japanese, and from one to the next.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, launch, selectViewer, someUser, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const popular = async () => (await ask('/onboarding?k=24')).items
const options = (page) => page.getByRole('option')
const hrefs = (page) => page.getByRole('list', { name: 'Titles found' }).locator('a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))

/** A title long enough that two wrong letters leave it recognisable, with two wrong letters. */
async function mistyped() {
  const anime = (await popular()).find(({ title }) => /^[A-Za-z ]{10,22}$/.test(title))
  assert.ok(anime, 'no popular title is long enough to mistype')
  const { title } = anime
  return { anime, text: title.slice(0, 3) + title[4] + title[3] + title.slice(5, 8) + title.slice(9) }
}

describe('search', () => {
  it('forgives typos, as one types', () =>
    withPage(browser, {}, async (page) => {
      const { anime, text } = await mistyped()
      await page.goto(BASE)
      await page.getByRole('combobox').pressSequentially(text, { delay: 5 })
      await page.locator(`[role=option]`).first().waitFor()
      await page.getByRole('combobox').press('Enter')
      await page.getByRole('heading', { level: 1, name: text }).waitFor()
      await page.getByRole('list', { name: 'Titles found' }).waitFor()
      assert.ok((await hrefs(page)).includes(anime.anime_id), `“${text}” does not find ${anime.title}`)
    }))

  it('understands Japanese', () =>
    withPage(browser, {}, async (page) => {
      const anime = (await popular()).find(({ title_japanese: title }) => title && /^[\u3040-\u9fffー]{4,}/.test(title))
      assert.ok(anime, 'no popular title has a Japanese title')
      const text = anime.title_japanese.slice(0, 5)
      await page.goto(`${BASE}/search?q=${encodeURIComponent(text)}`)
      await page.getByRole('list', { name: 'Titles found' }).waitFor()
      assert.ok((await hrefs(page)).includes(anime.anime_id), `“${text}” does not find ${anime.title}`)
    }))

  it('suggests as one types, in Japanese too, and says which name fits', () =>
    withPage(browser, {}, async (page) => {
      const anime = (await popular()).find(({ title_japanese: title }) => title && /^[\u3040-\u9fffー]{4,}/.test(title))
      await page.goto(BASE)
      await page.getByRole('combobox').fill(anime.title_japanese.slice(0, 4))
      await options(page).filter({ hasText: anime.title_english ?? anime.title }).first().click()
      await page.waitForURL(`${BASE}/anime/${anime.anime_id}`)
    }))

  it('says what to do when nothing is found', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(`${BASE}/search?q=${'qxzjw'.repeat(6)}`)
      await page.getByRole('heading', { name: 'No title like that' }).waitFor()
    }))
})

describe('an anime', () => {
  it('opens from the search and leads on to similar ones', () =>
    withPage(browser, {}, async (page) => {
      await selectViewer(page, await someUser(0))
      const [anime] = await popular()
      await page.goto(BASE)
      await page.getByRole('combobox').fill(anime.title)
      await options(page).first().waitFor()
      await options(page).first().click()
      await page.waitForURL(/\/anime\/\d+$/)
      await page.getByRole('heading', { level: 2, name: 'Similar anime' }).waitFor()
      const similar = page.getByRole('list', { name: 'Similar anime' }).getByRole('link')
      await similar.first().waitFor()
      const next = await similar.first().getAttribute('href')
      await similar.first().click()
      await page.waitForURL(BASE + next)
      const detail = await ask(next)
      await page.getByRole('heading', { level: 1 }).filter({ hasText: detail.title_english ?? detail.title }).waitFor()
      await page.goBack()
      await page.getByRole('heading', { level: 2, name: 'Similar anime' }).waitFor()
    }))

  it('is named in every language, and says where to watch it and read of it', () =>
    withPage(browser, {}, async (page) => {
      const details = await Promise.all((await popular()).map(({ anime_id: id }) => ask(`/anime/${id}`)))
      const anime = details.find(({ streaming, title_english: english, title_japanese: japanese }) => streaming.length && english && japanese)
      assert.ok(anime, 'no popular title can be streamed')
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      await page.getByRole('heading', { level: 1, name: anime.title_english }).waitFor()
      const names = await page.getByRole('list', { name: 'Other titles' }).locator('li').evaluateAll((items) => items.map((item) => [item.lang, item.textContent.trim()]))
      for (const [lang, name] of [['ja', anime.title_japanese], ['zh', anime.title_chinese], ['ja-Latn', anime.title]]) {
        if (name && name !== anime.title_english) assert.ok(names.some(([of, text]) => of === lang && text === name), `${name} is not shown`)
      }
      const links = await page.locator('main a[target="_blank"]').evaluateAll((all) => all.map(({ href, rel }) => ({ href, rel })))
      assert.ok(links.every(({ rel }) => rel.includes('noopener') && rel.includes('noreferrer')))
      const { synopsis } = await ask('/anime/' + anime.anime_id)
      if (synopsis?.includes('\n')) assert.equal(await page.getByText(synopsis.split('\n')[0]).first().evaluate((text) => getComputedStyle(text).whiteSpaceCollapse), 'preserve-breaks')
      // Sites of other regions are folded away; those of the reader's, or without a region, are not.
      const folded = page.locator('main details').filter({ hasText: 'In other regions' })
      const shown = await page.locator('main a[target="_blank"]:visible').count()
      if (await folded.count()) {
        await folded.locator('summary').click()
        assert.ok((await page.locator('main a[target="_blank"]:visible').count()) > shown, 'nothing is folded')
      }
      const wanted = [...anime.streaming.map(({ url }) => url), ...Object.values(anime.links).filter(Boolean)]
      assert.deepEqual(new Set(links.map(({ href }) => href)), new Set(wanted.map((url) => new URL(url).href)))
    }))

  it('that does not exist says so', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource.*404/)
      await page.goto(`${BASE}/anime/999999999`)
      const alert = page.getByRole('alert')
      await alert.getByRole('heading', { name: 'This title did not load' }).waitFor()
      await alert.getByRole('link', { name: 'To your list' }).click()
      await page.waitForURL(BASE + '/')
    }))

  it('shows titles in the language chosen', () =>
    withPage(browser, {}, async (page) => {
      const anime = (await popular()).find(({ title_japanese: title }) => title)
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByRole('group', { name: 'Titles, where known' }).getByText('日本語', { exact: true }).click()
      await page.keyboard.press('Escape')
      await page.getByRole('heading', { level: 1, name: anime.title_japanese }).waitFor()
    }))
})

describe('an anime in a viewer’s eyes', () => {
  it('shows their opinions, undoes one, and shows those of similar users', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(3)
      const { items } = await ask(`/users/${userId}/history?limit=100`)
      const { anime } = items.find(({ rating }) => rating !== null)
      await selectViewer(page, userId)
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      const opinion = page.getByRole('region', { name: 'Your opinion' })
      const rated = opinion.getByRole('button', { name: /^rated \d+\. Take back/ })
      await opinion.getByText(/viewers most like you/).waitFor()
      await rated.click()
      await rated.waitFor({ state: 'detached' })
      await page.getByRole('button', { name: /^Like: / }).click()
      await opinion.getByRole('button', { name: /^liked\./ }).waitFor()
    }))

  it('marks what they have seen of the franchise, and shows similar ones with and without it', () =>
    withPage(browser, {}, async (page) => {
      const popularOnes = await popular()
      const details = await Promise.all(popularOnes.map(({ anime_id: id }) => ask(`/anime/${id}`)))
      const anime = details.find(({ franchise }) => franchise.length > 1)
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/anime/${anime.anime_id}`)
      const line = page.getByRole('region', { name: 'The franchise, in order' })
      await line.getByText(/^You have seen \d+ of \d+$/).waitFor()
      const ids = () => page.getByRole('list', { name: 'Similar anime' }).locator('a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))
      await page.getByRole('list', { name: 'Similar anime' }).waitFor()
      const family = new Set(anime.franchise.map(({ anime_id: id }) => id))
      assert.ok((await ids()).every((id) => !family.has(id)), 'its own franchise is among the similar')
      const answer = page.waitForResponse(/same_franchise=true/)
      await page.getByLabel('Include its franchise').check()
      await answer
      await page.getByRole('list', { name: 'Similar anime' }).waitFor()
    }))
})

describe('the language of the page', () => {
  it('is chosen in the settings, and still there after a reload', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      for (const [language, heading, settings] of [['日本語', 'あなたのためのアニメを', '設定'], ['中文', '为你挑选的动画', '设置']]) {
        await page.getByRole('button', { name: /Settings|設定/ }).click()
        await page.getByRole('group', { name: /Language|言語/ }).getByText(language, { exact: true }).click()
        await page.getByRole('heading', { level: 1, name: heading }).waitFor()
        await page.reload()
        await page.getByRole('heading', { level: 1, name: heading }).waitFor()
        await page.getByRole('button', { name: settings }).waitFor()
      }
    }))

  it('is that of the browser at first, titles included', () =>
    withPage(browser, { locale: 'ja-JP' }, async (page) => {
      const anime = (await popular()).find(({ title_japanese: title }) => title)
      await page.goto(BASE)
      await page.getByRole('list', { name: '選べる作品' }).getByText(anime.title_japanese).first().waitFor()
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'ja')
    }))
})

describe('a viewer', () => {
  it('has a taste, a history and similar viewers to follow', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(0)
      await page.goto(`${BASE}/users/${userId}`)
      await page.getByRole('heading', { level: 1, name: `Viewer ${userId}` }).waitFor()
      await page.getByRole('heading', { name: 'Ratings given' }).waitFor()
      for (const name of ['Genres, beside what others watch', 'Themes', 'Studios', 'When it was made', 'How they differ']) await page.getByRole('heading', { name }).waitFor()
      await page.getByRole('list', { name: 'History' }).getByRole('link').first().waitFor()
      const similar = page.getByRole('region', { name: /^Viewers like/ }).getByRole('link')
      await similar.first().waitFor()
      const next = await similar.first().getAttribute('href')
      await similar.first().click()
      await page.waitForURL(BASE + next)
    }))
})

describe('a request in words', () => {
  it('is answered by the viewer\'s list within it, with parts to take away by keyboard, at 320 px too', async () => {
    const user = await someUser()
    await withPage(browser, { viewport: { width: 320, height: 640 } }, async (page) => {
      await selectViewer(page, user)
      await page.goto(BASE)
      await page.getByRole('combobox').fill('comedy, no drama')
      await page.getByRole('combobox').press('Enter')
      const list = page.getByRole('list', { name: 'For you, as asked' })
      await list.getByRole('listitem').first().waitFor()
      const chips = page.getByRole('list', { name: 'Understood' }).getByRole('button')
      assert.deepEqual(await chips.evaluateAll((all) => all.map((one) => one.ariaLabel)), ['Take away: comedy', 'Take away: not drama'])
      const genres = async () => {
        const ids = await list.getByRole('article').evaluateAll((all) => all.map((one) => Number(one.querySelector('a').getAttribute('href').split('/').pop())))
        return Promise.all(ids.slice(0, 6).map(async (id) => (await ask(`/anime/${id}`)).genres))
      }
      for (const one of await genres()) assert.ok(one.includes('Comedy') && !one.includes('Drama'), one.join())
      // No title has this name, and none was meant.
      await page.waitForLoadState('networkidle')
      assert.equal(await page.getByRole('main').getByText('No title like that').count(), 0)
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
      await chips.first().focus()
      await page.keyboard.press('Enter')
      await page.waitForURL(/q=no\+?(%20)?drama/)
      await page.waitForFunction(() => document.querySelectorAll('[aria-label="Understood"] button').length === 1)
      await page.waitForFunction(() => document.activeElement?.ariaLabel === 'Take away: not drama')
      for (const one of await genres()) assert.ok(!one.includes('Drama'), one.join())
    })
  })
})
