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
      const drawn = page.getByRole('status').getByText(/^Tonight: /)
      await drawn.waitFor()

      // A slider by keyboard puts its genre first, and takes nothing away.
      const slider = page.getByRole('slider').first()
      const genre = await slider.getAttribute('aria-label')
      assert.equal(await slider.getAttribute('aria-valuetext'), 'any')
      assert.ok((await slider.boundingBox()).height >= 44)
      await slider.press('End')
      assert.equal(await slider.getAttribute('aria-valuetext'), 'most')
      const has = new Set(planned.filter(({ genres }) => genres.includes(genre)).map(({ anime_id }) => anime_id))
      const first = (size) => page.waitForFunction((wanted) => {
        const links = [...document.querySelectorAll('ul[aria-label="Planned titles"] > li a')]
        return wanted.includes(Number(links[0]?.getAttribute('href').split('/').pop())) && links
      }, size)
      await first([...has])
      const moved = await ids(list)
      assert.deepEqual(new Set(moved.slice(0, has.size)), has)
      assert.equal(moved.length, planned.length)
      await page.reload()
      await list.waitFor()
      assert.deepEqual(await ids(list), moved, 'the mood is in the address')

      // What was drawn before the mood says nothing about it: draw again, here the heaviest.
      await page.evaluate(() => (Math.random = () => 0))
      await page.getByRole('button', { name: 'Pick one for tonight' }).click()
      await drawn.waitFor()
      const tonight = async () => Number((await page.locator('section a[href^="/anime/"]').first().getAttribute('href')).split('/').pop())
      assert.equal(await tonight(), moved[0])

      // The other end puts it last; the draw follows. Back, or the button, takes the mood away.
      await slider.press('Home')
      await first(planned.map(({ anime_id }) => anime_id).filter((id) => !has.has(id)))
      const turned = await ids(list)
      assert.deepEqual(new Set(turned.slice(-has.size)), has)
      await page.getByRole('button', { name: 'Another one' }).click()
      await page.waitForFunction((id) => document.querySelector('section a[href^="/anime/"]').getAttribute('href').endsWith(`/${id}`), turned[0])
      await page.getByRole('button', { name: 'Any mood' }).press('Enter')
      await page.waitForFunction(() => document.querySelector('[role=group] input').value === '2')
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-valuetext')), 'any')
      assert.equal(new URL(page.url()).search, '')
      await page.goBack()
      await page.waitForFunction(() => document.querySelector('[role=group] input').value === '0')

      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export for MyAnimeList' }).click()])
      assert.equal(file.suggestedFilename(), 'plan-to-watch.xml')
      const other = `plan-${crypto.randomUUID()}`
      const report = await ask(`/lists/import?user_id=${other}`, { method: 'POST', body: await readFile(await file.path(), 'utf8') })
      assert.equal(report.taken, planned.length, JSON.stringify(report))
      const { items } = await ask(`/users/${other}/plan`)
      assert.deepEqual(items.map(({ anime }) => anime.anime_id).sort(), planned.map(({ anime_id }) => anime_id).sort())

      // The bookmark of a title that was planned elsewhere is pressed, and takes the title off the plan.
      await page.getByRole('button', { name: 'Another one' }).click()
      await page.getByRole('button', { name: /^Plan to watch: /, pressed: true }).click()
      await page.waitForFunction((n) => document.querySelectorAll('ul[aria-label="Planned titles"] > li').length === n, planned.length - 1)
      assert.equal((await ask(`/users/${user}/plan`)).items.length, planned.length - 1)
    })
  })
})
