// Exploring: filters that live in the address, and the map of everything.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { ask, BASE, launch, selectViewer, someUser, withPage } from './browser.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** A map of simulated titles: islands of a genre each, as a real one has. */
function madeAtlas(count) {
  const genres = Array.from({ length: 12 }, (_, at) => `Genre ${at}`)
  const at = (index, prime, most) => (index * prime) % most
  const columns = Array.from({ length: count }, (_, index) => index)
  const place = (index, prime, side) => (at(index % 12, side, 12) * 340 + at(index, prime, 331) + at(index, prime + 6, 97)) % 4096
  return {
    version: 'simulated',
    genres,
    ids: columns.map((index) => index + 1),
    titles: columns.map((index) => `Title ${index + 1}`),
    x: columns.map((index) => place(index, 7919, 5)),
    y: columns.map((index) => place(index, 104_729, 7)),
    genre: columns.map((index) => index % 12),
    fame: columns.map((index) => Math.floor(9 * (1 - index / count) ** 3)),
  }
}

/** Zoom in and out for a while: what each frame cost, from its callback to the end of its drawing, and the time between two. */
const zoomed = (page, { x, y }) =>
  page.evaluate(
    async ([left, top]) => {
      const canvas = document.querySelector('canvas')
      const [costs, starts] = [[], []]
      const plain = window.requestAnimationFrame.bind(window)
      window.requestAnimationFrame = (draw) =>
        plain((now) => {
          const start = performance.now()
          draw(now)
          // Reading one point waits until all of it is drawn.
          canvas.getContext('2d').getImageData(0, 0, 1, 1)
          costs.push(performance.now() - start)
          starts.push(now)
        })
      for (let turn = 0; turn < 60; turn++) {
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: turn % 20 < 10 ? -60 : 60, clientX: left + 300, clientY: top + 200, ctrlKey: true, cancelable: true }))
        await new Promise((resolve) => plain(() => setTimeout(resolve)))
      }
      window.requestAnimationFrame = plain
      const sorted = (numbers) => numbers.sort((a, b) => a - b)
      return { costs: sorted(costs), gaps: sorted(starts.slice(1).map((now, at) => now - starts[at])) }
    },
    [x, y],
  )

const results = (page) => page.getByRole('list', { name: 'Titles that fit' })
const ids = (page) => results(page).locator('a').evaluateAll((links) => links.map((link) => Number(link.getAttribute('href').split('/').pop())))

describe('exploring', () => {
  it('is filtered by its address, which can be shared', () =>
    withPage(browser, {}, async (page) => {
      const { genres } = await ask('/genres')
      await page.goto(`${BASE}/explore?year_min=2005&year_max=2012`)
      await results(page).waitFor()
      const { items } = await ask('/anime/trending?k=24&year_min=2005&year_max=2012')
      assert.deepEqual(await ids(page), items.map(({ anime }) => anime.anime_id))
      await page.getByRole('button', { name: genres[0], exact: true }).click()
      await page.waitForURL((url) => url.searchParams.get('genre') === genres[0])
      await page.goBack()
    }))

  it('is filtered on the keyboard alone, by tag, studio and length, and each filter is taken away by its chip', () =>
    withPage(browser, {}, async (page) => {
      const { tags } = await ask('/genres')
      const tag = tags.at(-1)
      await page.goto(`${BASE}/explore`)
      await results(page).waitFor()
      await page.getByRole('button', { name: 'More filters' }).press('Enter')
      const without = page.getByRole('combobox', { name: 'Without tags' })
      await without.focus()
      await page.keyboard.type(tag.slice(0, 5))
      await page.getByRole('option', { name: tag, exact: true }).waitFor()
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => url.searchParams.get('exclude_tag') === tag)
      await page.keyboard.press('Escape')
      await page.getByRole('option').first().waitFor({ state: 'detached' })

      const most = page.getByRole('slider', { name: 'Episodes, at most' })
      for (const episodes of [100, 52, 26]) {
        await most.press('ArrowLeft')
        await page.waitForURL((url) => Number(url.searchParams.get('episodes_max')) === episodes)
      }
      const score = page.getByRole('slider', { name: 'Score, at least' })
      for (const steps of [1, 2, 3]) {
        await score.press('ArrowRight')
        await page.waitForURL((url) => Number(url.searchParams.get('min_score')) === [5, 5.5, 6][steps - 1])
      }

      const chips = page.getByRole('list', { name: 'Filters set' }).getByRole('button')
      assert.deepEqual(await chips.allTextContents(), [`Not ${tag}×`, 'Episodes: up to 26×', 'Score: at least 6×'])
      const { items } = await ask(`/anime/trending?k=24&exclude_tag=${encodeURIComponent(tag)}&episodes_max=26&min_score=6`)
      const wanted = items.map(({ anime }) => anime.anime_id)
      await page.waitForFunction((all) => {
        const links = document.querySelectorAll('ul[aria-label="Titles that fit"] a')
        return JSON.stringify([...links].map((link) => Number(link.getAttribute('href').split('/').pop()))) === all
      }, JSON.stringify(wanted))

      await page.reload()
      await chips.nth(2).waitFor()
      await chips.nth(1).focus()
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => !url.searchParams.has('episodes_max') && url.searchParams.has('min_score'))
      await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Remove Score: at least 6')
    }))

  it('says which filter is in the way when nothing passes', () =>
    withPage(browser, {}, async (page) => {
      await page.goto(`${BASE}/explore?year_max=1901&min_score=6`)
      await page.getByRole('heading', { name: 'No matches' }).waitFor()
      const ways = page.getByRole('list', { name: 'Loosen one of these:' }).getByRole('button')
      await ways.first().waitFor()
      assert.equal(await ways.count(), 1)
      await ways.filter({ hasText: 'Without “Years: up to 1901”' }).click()
      await results(page).waitFor()
      assert.equal(new URL(page.url()).search, '?min_score=6')
    }))

  it('finds a series before its films', async () => {
    const { items } = await ask('/anime?query=evangelion&limit=5')
    assert.equal(items[0].anime.type, 'TV')
  })
})

describe('the atlas', () => {
  it('names what is in view, moves with keys, zooms, and opens what is chosen', () =>
    withPage(browser, { reducedMotion: 'reduce' }, async (page) => {
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/explore`)
      const map = page.getByRole('application')
      await map.waitFor({ timeout: 60_000 })
      const inView = page.locator('p:has-text("In view") a')
      await inView.first().waitFor()
      const before = await inView.allTextContents()
      // The wheel over the map scrolls the page; with Ctrl it zooms the map.
      const { x, y, width } = await map.boundingBox()
      await page.mouse.move(x + width / 2, y + 80)
      await page.mouse.wheel(0, 120)
      await page.waitForFunction(() => window.scrollY > 0)
      assert.deepEqual(await inView.allTextContents(), before, 'the wheel zooms the map')
      assert.match(await page.locator('canvas').evaluate((canvas) => getComputedStyle(canvas).touchAction), /pan-y/, 'one finger does not scroll')
      await map.focus()
      // Not far: the middle of a map may be open sea.
      for (let times = 0; times < 2; times++) await page.keyboard.press('+')
      await page.keyboard.press('ArrowLeft')
      await page.waitForFunction((old) => {
        const now = [...document.querySelectorAll('p a[href^="/anime/"]')].map((link) => link.textContent)
        return now.length > 0 && JSON.stringify(now) !== old
      }, JSON.stringify(before))
      await page.keyboard.press('0')
      await page.waitForFunction((old) => {
        const now = [...document.querySelectorAll('p a[href^="/anime/"]')].map((link) => link.textContent)
        return JSON.stringify(now) === old
      }, JSON.stringify(before))
      const href = await inView.first().getAttribute('href')
      await inView.first().click()
      await page.waitForURL(BASE + href)
    }))

  it('names titles in the reader’s language, and waits while the service draws', () =>
    withPage(browser, { locale: 'ja-JP' }, async (page) => {
      let refusals = 1
      await page.route('**/api/v1/anime/atlas*', (route) =>
        refusals-- > 0 ? route.fulfill({ status: 503, json: { error: { code: 'not_ready', message: 'being drawn', hint: null } } }) : route.continue(),
      )
      await page.goto(`${BASE}/explore`)
      await page.getByRole('status', { name: '地図を作成中' }).waitFor()
      const first = page.locator('p:has-text("表示中") a').first()
      await first.waitFor()
      const { ids, titles } = await ask('/anime/atlas?titles=japanese')
      const href = await first.getAttribute('href')
      assert.equal((await first.textContent()).trim(), titles[ids.indexOf(Number(href.split('/').pop()))])
    }))

  it('shows the taste of the viewer, and none without one', () =>
    withPage(browser, { reducedMotion: 'reduce' }, async (page) => {
      const drawn = async () => {
        await page.goto(`${BASE}/explore`)
        await page.locator('p:has-text("In view") a').first().waitFor()
      }
      const picture = () => page.evaluate(() => document.querySelector('canvas').toDataURL())
      await drawn()
      const bare = await picture()
      assert.equal(await page.getByText('what you like', { exact: true }).count(), 0)
      await selectViewer(page, await someUser(0))
      await drawn()
      for (const legend of ['your titles', 'what you like']) await page.getByText(legend, { exact: true }).waitFor()
      await page.waitForFunction((before) => document.querySelector('canvas').toDataURL() !== before, bare)
    }))

  it('draws 20,000 titles in a part of a sixtieth of a second', () =>
    withPage(browser, {}, async (page) => {
      await page.route('**/api/v1/anime/atlas*', (route) => route.fulfill({ json: madeAtlas(20_000) }))
      await selectViewer(page, await someUser(0))
      await page.goto(`${BASE}/explore`)
      const map = page.getByRole('application')
      await map.waitFor({ timeout: 60_000 })
      await page.getByText('20,000 anime', { exact: false }).waitFor()
      const { costs, gaps } = await zoomed(page, await map.boundingBox())
      assert.ok(costs.length >= 40, `${costs.length} frames were drawn`)
      const [median, high] = [costs[costs.length >> 1], costs[Math.floor(costs.length * 0.95)]]
      const rate = 1000 / gaps[gaps.length >> 1]
      console.log(`atlas of 20,000: a frame takes ${median.toFixed(1)} ms, ${high.toFixed(1)} ms at the 95th percentile; ${rate.toFixed(0)} frames a second`)
    }))
})
