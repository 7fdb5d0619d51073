import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'

import { api } from '@/api/client'
import { animeCard } from '@/testing'

import { useSearch } from './suggestions'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function start(first = '') {
  const ask = vi.spyOn(api, 'search').mockImplementation((query) =>
    Promise.resolve({ query, poor: query !== 'monster', items: query === 'nothing' ? [] : [{ anime: animeCard(), match: 90, matched: query }] }),
  )
  const text = ref(first)
  const search = effectScope().run(() => useSearch(text, 5, 100))
  if (!search) throw new Error('no scope')
  return { ask, text, search }
}

describe('useSearch', () => {
  it('is idle without text, and for blanks', async () => {
    const { ask, text, search } = start()
    text.value = '   '
    await vi.runAllTimersAsync()
    expect(search.state.value).toBe('idle')
    expect(ask).not.toHaveBeenCalled()
  })

  it('asks once the typing pauses, for the last text', async () => {
    const { ask, text, search } = start()
    text.value = 'm'
    await flushPromises()
    await vi.advanceTimersByTimeAsync(60)
    text.value = 'monster'
    await flushPromises()
    await vi.advanceTimersByTimeAsync(60)
    expect(ask).not.toHaveBeenCalled()
    expect(search.settled.value).toBe(false)
    await vi.advanceTimersByTimeAsync(60)
    expect(ask.mock.calls.map(([query]) => query)).toEqual(['monster'])
    expect(search.state.value).toBe('ready')
    expect(search.settled.value).toBe(true)
    expect(search.poor.value).toBe(false)
  })

  it('asks at once for a text it starts with, and is empty without hits', async () => {
    const { search } = start('nothing')
    await vi.advanceTimersByTimeAsync(0)
    expect(search.state.value).toBe('empty')
  })
})
