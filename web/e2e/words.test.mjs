// What the page says, and to whom: a fan, not an operator; the same in three languages.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, cards, interact, launch, listedIds, selectViewer, someUser, waitForOtherList, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const text = (page) => page.evaluate(() => document.body.innerText)

describe('the first visit', () => {
  it('says in the headline what this is, and what to do', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(BASE)
      await page.getByRole('list', { name: 'Titles to pick from' }).getByRole('button').first().waitFor()
      assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /anime/i)
      await page.getByRole('link', { name: 'Get your list' }).waitFor()
      await page.locator('#look-as').scrollIntoViewIfNeeded()
      await page.getByRole('heading', { name: 'See another viewer’s list' }).waitFor()
      assert.doesNotMatch(await text(page), /Choose viewer|Look as somebody|Found by|What is known of you/i)
      for (const [language, jargon] of [['日本語', /リスト上の散歩|近傍/], ['中文', /列表漫步|近邻/]]) {
        await page.getByRole('button', { name: /Settings|設定/ }).click()
        await page.getByRole('group', { name: /Language|言語/ }).getByText(language, { exact: true }).click()
        await page.waitForFunction((lang) => document.documentElement.lang === lang, language === '中文' ? 'zh' : 'ja')
        assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /アニメ|动画/)
        assert.doesNotMatch(await text(page), jargon)
        await page.keyboard.press('Escape')
      }
    }))
})

describe('a change of the list', () => {
  it('is described by titles; numbers stand behind Details, marks only where the click caused something', () =>
    withPage(browser, {}, async (page) => {
      const userId = await someUser(1)
      await selectViewer(page, userId)
      await page.goto(BASE)
      await cards(page).nth(5).waitFor()
      const before = await listedIds(page)
      await cards(page).nth(4).getByRole('button', { name: /^Like: / }).click()
      await waitForOtherList(page, before)
      const story = page.getByTestId('live-story').filter({ hasText: /^Because of / })
      await story.waitFor()
      assert.doesNotMatch(await story.innerText(), /\d+ ms|\d+ rose|\d+ fell/)
      const { items } = await ask(`/users/${userId}/recommendations?k=11`)
      const caused = new Set(items.filter(({ reasons }) => reasons.some(({ anime_id: id, kind }) => id === before[4] && kind !== 'despite')).map(({ anime }) => anime.anime_id))
      const marked = await page.locator('section[aria-label="Recommendations"] > ol > li:not([inert])').evaluateAll((all) =>
        all.filter((card) => card.querySelector('[data-testid="move-note"]')).map((card) => Number(card.querySelector('a').getAttribute('href').split('/').pop())),
      )
      assert.deepEqual(marked.filter((id) => !caused.has(id)), [], 'a title is marked that the click did not bring')
      await page.getByRole('button', { name: 'Details' }).click()
      await page.getByRole('dialog', { name: 'Details' }).getByText(/^\d+ ms$/).first().waitFor()
      await interact({ user_id: userId, anime_id: before[4], kind: 'like', undo: true })
    }))
})

describe('an error', () => {
  it('speaks to a fan, without routes or commands; what operators need is behind details', () =>
    withPage(browser, {}, async (page, { expect }) => {
      expect(/Failed to load resource/)
      await selectViewer(page, await someUser(0))
      for (const [answer, words] of [
        [(route) => route.abort('connectionrefused'), 'GARS does not answer right now.'],
        [(route) => route.fulfill({ status: 500, json: { error: { code: 'internal', message: 'GET /api/v1/users failed', hint: 'make demo' } } }), 'Something went wrong on our side.'],
      ]) {
        await page.route('**/recommendations*', answer)
        await page.goto(BASE)
        const alert = page.getByRole('alert').filter({ hasText: 'The list did not load' })
        await alert.getByText(words).waitFor()
        const shown = await alert.evaluate((element) => {
          const copy = element.cloneNode(true)
          copy.querySelectorAll('details').forEach((details) => details.remove())
          return copy.textContent
        })
        assert.doesNotMatch(shown, /GET |\/api\/|make demo|gars serve/)
        await page.unroute('**/recommendations*')
      }
      await page.goto(`${BASE}/?year_min=1901&year_max=1902`)
      await page.getByRole('heading', { name: 'No matches' }).waitFor()
    }))
})

describe('viewers', () => {
  it('of a group have names of their own, and somebody else’s page speaks of them', () =>
    withPage(browser, {}, async (page) => {
      const [own, friend] = [`visitor-${crypto.randomUUID()}`, `visitor-${crypto.randomUUID()}`]
      const { items } = await ask('/onboarding?k=4')
      for (const user_id of [own, friend]) for (const { anime_id } of items) await interact({ user_id, anime_id, kind: 'rate', value: 3 })
      await page.addInitScript((visitor) => localStorage.setItem('gars.visitor', visitor), JSON.stringify({ id: own, picks: [], started: true }))
      await page.goto(`${BASE}/group?member=${own}&member=${friend}`)
      const guest = `Guest ${friend.slice(8, 12).toUpperCase()}`
      const who = page.getByRole('region', { name: 'Who watches' })
      await who.getByRole('button', { name: `Remove ${guest}` }).waitFor()
      assert.equal(await who.getByRole('button', { name: 'Remove You' }).count(), 1)
      await page.goto(`${BASE}/users/${friend}`)
      await page.getByRole('heading', { level: 1, name: guest }).waitFor()
      await page.getByRole('heading', { name: 'How they differ' }).waitFor()
      // Four titles are too few for a statement; a rating that is far from the score is about them, not about "you".
      await page.getByText('This needs 20 titles or more.').waitFor()
      await page.getByText(/^they 3, others /).first().waitFor()
      assert.equal(await page.getByText(/^you \d/).count(), 0)
      const genres = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Genres, beside what others watch' }) }).last()
      const bars = await genres.locator('dl > div').evaluateAll((rows) => rows.map((row) => [Number.parseFloat(row.querySelector('[style*="width"]').style.width), Number.parseInt(row.querySelector('dd').textContent)]))
      assert.ok(bars.length > 0)
      for (const [width, share] of bars) assert.ok(Math.abs(width - share) <= 1, `a bar of ${width} % for ${share} %`)
      await page.goto(`${BASE}/users/${own}`)
      await page.getByRole('heading', { name: 'Your data' }).waitFor()
    }))
})
