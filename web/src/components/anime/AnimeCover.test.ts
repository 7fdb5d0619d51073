import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick, ref } from 'vue'

import type { About } from '@/api/types'
import { asksForCovers, coverChoice } from '@/composables/covers'
import { animeCard } from '@/testing'

import AnimeCover from './AnimeCover.vue'

const service = vi.hoisted(() => ({ about: { value: null as Partial<About> | null } }))
vi.mock('@/composables/about', () => ({ about: service.about }))
const about = ref<Partial<About> | null>(null)
Object.defineProperty(service.about, 'value', { get: () => about.value })

const monster = animeCard({ anime_id: 19, title: 'Monster', image: 'https://images.test/1.jpg' })
const cover = (anime = monster, clear = false) => mount(AnimeCover, { props: { anime, clear } })

beforeEach(() => {
  about.value = { covers: 'proxy' }
  coverChoice.value = null
})

describe('AnimeCover', () => {
  it('is drawn where covers are off, without an address, and before the service has answered', async () => {
    expect(cover(animeCard({ title: 'Monster' })).find('img').exists()).toBe(false)
    for (const known of [null, { covers: 'off' as const }]) {
      about.value = known
      await flushPromises()
      const drawn = cover()
      expect(drawn.find('img').exists()).toBe(false)
      expect(drawn.text()).toContain('Monster')
    }
  })

  it('stays drawn until the image has loaded, and when it does not load', async () => {
    const shown = cover()
    expect(shown.get('img').attributes('src')).toBe('/api/v1/anime/19/cover')
    expect(shown.get('img').classes()).toContain('opacity-0')
    expect(shown.find('svg').exists()).toBe(true)
    await shown.get('img').trigger('load')
    expect(shown.get('img').classes()).not.toContain('opacity-0')
    expect(shown.find('svg').exists()).toBe(false)

    const broken = cover()
    await broken.get('img').trigger('error')
    expect(broken.find('img').exists()).toBe(false)
    expect(broken.find('svg').exists()).toBe(true)
  })

  it('loads from the other site only where the service has it so, without telling it the page', () => {
    about.value = { covers: 'direct' }
    const image = cover().get('img')
    expect(image.attributes('src')).toBe('https://images.test/1.jpg')
    expect(image.attributes('referrerpolicy')).toBe('no-referrer')
  })

  it('is asked for where the service asks, and follows the choice', async () => {
    about.value = { covers: 'ask' }
    const shown = cover()
    expect([asksForCovers(), shown.find('img').exists()]).toEqual([true, false])
    coverChoice.value = true
    await nextTick()
    expect([asksForCovers(), shown.find('img').exists()]).toEqual([false, true])
    coverChoice.value = false
    await nextTick()
    expect([asksForCovers(), shown.find('img').exists()]).toEqual([false, false])
    about.value = { covers: 'proxy' }
    await nextTick()
    expect(shown.find('img').exists(), 'a reader may refuse everywhere').toBe(false)
  })

  it('blurs images of adult titles until the reader wants to see them', async () => {
    const shown = cover(animeCard({ ...monster, adult: true }))
    expect(shown.get('img').classes()).toContain('blur-xl')
    await shown.setProps({ clear: true })
    expect(shown.get('img').classes()).not.toContain('blur-xl')
    expect(cover().get('img').classes()).not.toContain('blur-xl')
  })

  it('shows titles as text, whatever is in them', () => {
    const drawn = cover(animeCard({ title: '<img src=x onerror=alert(1)>' }))
    expect(drawn.find('img').exists()).toBe(false)
    expect(drawn.text()).toContain('<img src=x')
  })
})
