import { afterEach, describe, expect, it } from 'vitest'

import type { Reason } from '@/api/types'
import { language } from '@/i18n'

import { facts, reasonText } from './wording'

const reason = (kind: string, text: string, title: string | null = null, titles: Partial<Reason> = {}): Reason => ({
  ...{ title_english: null, title_japanese: null, title_chinese: null, anime_id: null, contribution: null, verb: null, names: [] },
  ...{ kind, text, title, ...titles },
})

afterEach(() => {
  language.value = 'en'
})

const REASONS = [
  reason('because', 'Because you liked Monster', 'Monster', { verb: 'liked' }),
  reason('click', 'Because you looked at Monster', 'Monster', { verb: 'opened' }),
  reason('despite', 'Although you watched Monster', 'Monster', { verb: 'watched' }),
  reason('franchise', 'Continues Monster', 'Monster'),
  reason('shared', 'Like Monster: Detective, Madhouse', 'Monster', { names: ['Detective', 'Madhouse'] }),
  reason('genre', 'You watch more Mecha than most', null, { names: ['Mecha'] }),
  reason('popular', 'Widely watched and liked'),
]

describe('reasons', () => {
  it('are in English what the service says', () => {
    for (const one of REASONS) expect(reasonText(one)).toBe(one.text)
  })

  it('are translated, their titles and tags kept', async () => {
    language.value = 'ja'
    await expect.poll(() => document.documentElement.lang, { timeout: 15_000 }).toBe('ja')
    expect(REASONS.map(reasonText)).toEqual([
      '「Monster」が好きだから',
      '「Monster」を見ていたから',
      '「Monster」を観たのに',
      '「Monster」の続き',
      '「Monster」との共通点：Detective、Madhouse',
      'ロボットを人より多く観ています',
      '広く観られ、好かれています',
    ])
  })

  it('name the title in the reader’s language', async () => {
    const titles = { title_english: 'Attack on Titan', title_japanese: '進撃の巨人' }
    const both = [
      reason('because', 'Because you liked Shingeki no Kyojin', 'Shingeki no Kyojin', { ...titles, verb: 'liked' }),
      reason('shared', 'Like Shingeki no Kyojin: Military', 'Shingeki no Kyojin', { ...titles, names: ['Military'] }),
    ]
    expect(both.map(reasonText)).toEqual(['Because you liked Attack on Titan', 'Like Attack on Titan: Military'])
    language.value = 'ja'
    await expect.poll(() => document.documentElement.lang, { timeout: 15_000 }).toBe('ja')
    expect(both.map(reasonText)).toEqual(['「進撃の巨人」が好きだから', '「進撃の巨人」との共通点：Military'])
  })

  it('of a kind or wording the page does not know stay as they are', () => {
    expect(reasonText(reason('because', 'Because you chose Monster', 'Monster', { verb: 'chose' }))).toBe('Because you chose Monster')
    expect(reasonText(reason('season', 'It is spring'))).toBe('It is spring')
  })
})

describe('facts', () => {
  it('leave out what is not known, and the one episode of a film', () => {
    expect(facts({ type: 'Movie', year: 2001, episodes: 1 })).toBe('Movie · 2001')
    expect(facts({ type: 'TV', year: null, episodes: 64 }, true)).toBe('TV · 64 episodes')
    expect(facts({ type: 'TV', year: null, episodes: 1 }, true)).toBe('TV · 1 episode')
  })
})
