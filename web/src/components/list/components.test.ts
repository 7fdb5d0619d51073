import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'

import { api } from '@/api/client'
import { ApiError } from '@/api/errors'
import type { About } from '@/api/types'
import type { Move } from '@/composables/listMoves'
import { updateLog } from '@/composables/updateLog'
import { resetVisitor, selectViewer } from '@/composables/viewer'
import { animeCard, recommendation, recommendationList } from '@/testing'

import Banners from '@/components/common/Banners.vue'
import CardActions from '@/components/anime/CardActions.vue'
import LiveList from './LiveList.vue'
import LiveLine from './LiveLine.vue'
import SearchBox from '@/components/common/SearchBox.vue'
import StateMessage from '@/components/common/StateMessage.vue'

const page = { template: '<div />' }
function makeRouter() {
  return createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', name: 'home', component: page },
      { path: '/anime/:id', name: 'anime', component: page },
      { path: '/search', name: 'search', component: page },
    ],
  })
}

beforeEach(resetVisitor)

describe('CardActions', () => {
  it('is one tab stop, with arrows inside', async () => {
    const bar = mount(CardActions, { props: { anime: animeCard() }, attachTo: document.body })
    await vi.dynamicImportSettled()
    const buttons = bar.findAll('button')
    expect(buttons.map((button) => button.attributes('tabindex'))).toEqual(['0', '-1', '-1', '-1'])
    ;(buttons[0]?.element as HTMLElement).focus()
    await bar.trigger('keydown', { key: 'ArrowLeft' })
    expect(document.activeElement).toBe(buttons[3]?.element)
    await bar.trigger('keydown', { key: 'Home' })
    expect(document.activeElement).toBe(buttons[0]?.element)
    bar.unmount()
  })

  it('ignores presses while one is under way', async () => {
    selectViewer('42')
    const interact = vi.spyOn(api, 'interact').mockReturnValue(new Promise(() => undefined))
    const bar = mount(CardActions, { props: { anime: animeCard({ anime_id: 77 }) } })
    await bar.findAll('button')[0]?.trigger('click')
    await bar.findAll('button')[1]?.trigger('click')
    expect(interact).toHaveBeenCalledTimes(1)
    expect(bar.attributes('aria-busy')).toBe('true')
  })
})

describe('LiveList', () => {
  it('hands the focus of a leaving card to the one that takes its place', async () => {
    const router = makeRouter()
    const list = mount(LiveList, {
      props: { list: recommendationList([1, 2, 3]), moves: new Map() },
      global: { plugins: [router], stubs: { TransitionGroup: false } },
      attachTo: document.body,
    })
    list.findAll('li')[1]?.find('a').element.focus()
    await list.setProps({ list: recommendationList([1, 3], { version: 2 }) })
    await nextTick()
    expect(document.activeElement?.getAttribute('href')).toBe('/anime/3')
    list.unmount()
  })

  it('marks only what the last action brought here', async () => {
    const cause = animeCard({ anime_id: 9, title: 'Monster' })
    updateLog.sent({ eventId: 'e', userId: 'u', kind: 'like', undo: false, anime: cause })
    updateLog.shown('u', Infinity, { moves: new Map(), added: [], removed: [], rose: [], fell: [], after: [] })
    const items = recommendationList([1, 2, 3]).items
    const because = { kind: 'because', text: 'Because you liked Monster', anime_id: 9, title: 'Monster', title_english: null, title_japanese: null, title_chinese: null, contribution: 1, verb: 'liked' as const, names: [] }
    items[1] = recommendation(2, { reasons: [because] })
    const list = mount(LiveList, {
      props: { list: recommendationList([], { items }), moves: new Map<number, Move>([[2, { kind: 'new' }], [3, { kind: 'up', by: 4 }]]) },
      global: { plugins: [makeRouter()] },
    })
    await nextTick()
    const marks = list.findAll('article').map((card) => card.find('[data-testid=move-note]').exists())
    expect(marks).toEqual([false, true, false])
    updateLog.clear()
  })
})

describe('LiveLine', () => {
  it('invites at first, and says when it is not connected', () => {
    const line = mount(LiveLine, { props: { connection: 'broken', update: undefined } })
    expect(line.text()).toContain('Reconnecting')
    expect(line.text()).toContain('Like, hide or open a title: the list changes at once.')
  })

  it('tells what caused the change, and what is new by its title', () => {
    const added = ['Mushishi', 'Kaiba', 'Nana'].map((title, at) => recommendation(at + 1, { anime: animeCard({ title }) }))
    const change = { moves: new Map(), added, removed: [], rose: [], fell: [], after: [] }
    const cause = { kind: 'like' as const, undo: false, anime: animeCard({ title: 'Monster' }) }
    const line = mount(LiveLine, { props: { connection: 'live', update: { id: 1, cause, ms: 64, change } } })
    expect(line.text()).toContain('Because of Monster: 3 new for you: Mushishi, Kaiba and 1 more')
  })
})

describe('StateMessage', () => {
  it('shows message and hint, and offers to try again only where that can help', async () => {
    const error = new ApiError('storage', 'The store is busy.', 'Wait a second.', 503)
    const message = mount(StateMessage, { props: { heading: 'No list', error } })
    expect(message.text()).toContain('The store is busy.')
    expect(message.text()).toContain('Wait a second.')
    await message.get('button').trigger('click')
    expect(message.emitted('retry')).toHaveLength(1)
    await message.setProps({ error: new ApiError('unknown_anime', 'No anime 7.', null, 404) })
    expect(message.find('button').exists()).toBe(false)
  })
})

describe('Banners', () => {
  it('say when the viewers are simulated, and when the network is gone', async () => {
    const data = { name: 'x', simulated: true, anime: 1, users: 1, interactions: 1 }
    vi.spyOn(api, 'about').mockResolvedValue({ name: 'GARS', version: '0', model: { version: 'm', trained: '', metrics: null }, data, coverage: null, list_sites: [], covers: 'off', anilist: null })
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(true)
    const banners = mount(Banners)
    expect(banners.text()).toBe('')
    await flushPromises()
    expect(banners.text()).toContain('Simulated viewers.')
    online.mockReturnValue(false)
    window.dispatchEvent(new Event('offline'))
    await nextTick()
    expect(banners.text()).toContain('You are offline.')
  })
})

describe('CoverageNote', () => {
  const coverage: About['coverage'] = {
    ...{ titles: 28287, titles_to: '2026-fall', ratings: 9, users: 6238, years_of: 'titles', rated_until: '2023-01-08' },
    ...{ ratings_from: 1999, ratings_to: 2019, sources: [{ name: 'arm', licence: 'MIT' }] },
  }
  async function note(given: About['coverage']) {
    const data = { name: 'x', simulated: false, anime: 1, users: 1, interactions: 1 }
    const model = { version: 'm', trained: '', metrics: null }
    // `about` is asked for once: each note has modules of its own.
    vi.resetModules()
    const fresh = await import('@/api/client')
    vi.spyOn(fresh.api, 'about').mockResolvedValue({ name: 'GARS', version: '0', model, data, coverage: given, list_sites: [], covers: 'off', anilist: null })
    const { default: CoverageNote } = await import('@/components/common/CoverageNote.vue')
    const shown = mount(CoverageNote)
    await flushPromises()
    return shown
  }

  it('tells which years titles and ratings are of, and where they are from', async () => {
    const shown = await note(coverage)
    expect(shown.text()).toBe('28,287 titles to autumn 2026 · ratings of 6,238 people, mostly of titles of 1999–2019')
    expect(shown.get('p').attributes('title')).toBe('arm: MIT')
    const dated = await note({ ...coverage, years_of: 'times', titles_to: null })
    expect(dated.text()).toBe('28,287 titles · ratings of 6,238 people, mostly of 1999–2019')
  })

  it('is not there for a model that knows nothing of its data', async () => {
    expect((await note(null)).find('footer').exists()).toBe(false)
  })
})

describe('SearchBox', () => {
  async function type(text: string) {
    vi.useFakeTimers()
    const router = makeRouter()
    const box = mount(SearchBox, { global: { plugins: [router] }, attachTo: document.body })
    await box.get('input').setValue(text)
    await vi.advanceTimersByTimeAsync(200)
    vi.useRealTimers()
    return { box, router }
  }

  it('goes to the title chosen with the arrows', async () => {
    vi.spyOn(api, 'search').mockResolvedValue({
      query: 'tit',
      poor: true,
      items: [
        { anime: animeCard({ anime_id: 5 }), match: 70, matched: 'a' },
        { anime: animeCard({ anime_id: 6 }), match: 60, matched: 'b' },
      ],
    })
    const { box, router } = await type('tit')
    const input = box.get('input')
    expect(input.attributes('aria-expanded')).toBe('true')
    expect(box.text()).toContain('No title like that. Nearest:')
    await input.trigger('keydown', { key: 'ArrowDown' })
    await input.trigger('keydown', { key: 'ArrowDown' })
    expect(input.attributes('aria-activedescendant')).toBe('search-option-1')
    await box.get('form').trigger('submit')
    await flushPromises()
    expect(router.currentRoute.value.path).toBe('/anime/6')
    box.unmount()
  })

  it('goes to all results without a choice', async () => {
    vi.spyOn(api, 'search').mockResolvedValue({ query: 'nothing', poor: true, items: [] })
    const { box, router } = await type('nothing')
    expect(box.text()).toContain('No title like “nothing”.')
    await box.get('form').trigger('submit')
    await flushPromises()
    expect(router.currentRoute.value.fullPath).toBe('/search?q=nothing')
    box.unmount()
  })

  it('says why the search failed', async () => {
    vi.spyOn(api, 'search').mockRejectedValue(new ApiError('not_ready', 'The model is loading.', 'Wait a moment.', 503))
    const { box } = await type('x')
    expect(box.text()).toContain('The model is loading.')
    expect(box.text()).toContain('Wait a moment.')
    box.unmount()
  })
})
