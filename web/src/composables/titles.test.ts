import { describe, expect, it } from 'vitest'

import { otherTitles, titleIn } from './titles'

const anime = {
  title: 'Shingeki no Kyojin',
  title_english: 'Attack on Titan',
  title_japanese: '進撃の巨人',
  title_chinese: null,
}

describe('titles', () => {
  it('are shown in the language asked for, with its tag', () => {
    expect(titleIn(anime, 'japanese')).toEqual({ text: '進撃の巨人', lang: 'ja' })
    expect(titleIn(anime, 'english')).toEqual({ text: 'Attack on Titan', lang: 'en' })
  })

  it('fall back to the romaji title', () => {
    expect(titleIn(anime, 'chinese')).toEqual({ text: 'Shingeki no Kyojin', lang: 'ja-Latn' })
  })

  it('lists the others once', () => {
    expect(otherTitles(anime).map((title) => title.text)).toEqual(['Shingeki no Kyojin', '進撃の巨人'])
    expect(otherTitles({ ...anime, title: 'Attack on Titan', title_japanese: null })).toEqual([])
  })
})
