// Plan to watch: a page of its own, one for tonight, and a file that other sites import.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, interact, launch, selectViewer, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const ids = (locator) => locator.locator('a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))

describe('plan to watch', () => {
  it('shows what is planned, picks one by keyboard, and goes to another list as a file', async () => {
    const user = `plan-${crypto.randomUUID()}`
    const [loved, ...planned] = (await ask('/onboarding?k=5')).items
    await interact({ user_id: user, anime_id: loved.anime_id, kind: 'like' })
    for (const { anime_id } of planned) await interact({ user_id: user, anime_id, kind: 'status', value: 'planned' })

    await withPage(browser, { viewport: { width: 320, height: 640 } }, async (page) => {
      await selectViewer(page, user)
      await page.goto(`${BASE}/plan`)
      const list = page.getByRole('list', { name: 'Planned titles' })
      await list.waitFor()
      assert.deepEqual((await ids(list)).sort(), planned.map(({ anime_id }) => anime_id).sort())
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)

      await page.getByRole('button', { name: 'Pick one for tonight' }).press('Enter')
      await page.getByRole('status').getByText(/^Tonight: /).waitFor()

      // One mood leaves the titles that have it.
      const mood = page.getByRole('checkbox').first()
      const genre = await mood.getAttribute('value')
      await mood.press('Space')
      const fitting = planned.filter(({ genres }) => genres.includes(genre)).map(({ anime_id }) => anime_id)
      await page.waitForFunction((n) => document.querySelectorAll('ul[aria-label="Planned titles"] > li').length === n, fitting.length)
      assert.deepEqual((await ids(list)).sort(), fitting.sort())

      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export for MyAnimeList' }).click()])
      assert.equal(file.suggestedFilename(), 'plan-to-watch.xml')
      const other = `plan-${crypto.randomUUID()}`
      const report = await ask(`/lists/import?user_id=${other}`, { method: 'POST', body: await readFile(await file.path(), 'utf8') })
      assert.equal(report.taken, planned.length, JSON.stringify(report))
      const { items } = await ask(`/users/${other}/plan`)
      assert.deepEqual(items.map(({ anime }) => anime.anime_id).sort(), planned.map(({ anime_id }) => anime_id).sort())

      // The bookmark of a title that was planned elsewhere is pressed, and takes the title off the plan.
      await page.getByRole('button', { name: /^(Another one|Pick one for tonight)$/ }).click()
      await page.getByRole('button', { name: /^Plan to watch: /, pressed: true }).click()
      await page.waitForFunction((n) => document.querySelectorAll('ul[aria-label="Planned titles"] > li').length === n, fitting.length - 1)
      assert.equal((await ask(`/users/${user}/plan`)).items.length, planned.length - 1)
    })
  })
})
