import { describe, expect, it } from 'vitest'

import { byRegion, regionOf } from './streaming'

const sites = ['Netflix', 'bilibili', 'Hulu', 'nicovideo'].map((site) => ({ site, url: `https://${site}.example` }))
const names = (languages: string[]) => byRegion(sites, languages).map((group) => [group.folded, group.sites.map(({ site }) => site)])

describe('where a title streams', () => {
  it('starts with the sites of the reader’s region and folds the others', () => {
    expect(names(['en-US'])).toEqual([[false, ['Netflix', 'Hulu']], [true, ['bilibili', 'nicovideo']]])
    expect(names(['zh-CN', 'en'])).toEqual([[false, ['Netflix', 'bilibili']], [true, ['Hulu', 'nicovideo']]])
    expect(names(['ja'])).toEqual([[false, ['Netflix', 'nicovideo']], [true, ['bilibili', 'Hulu']]])
    expect(names(['tlh'])).toEqual([[false, ['Netflix', 'bilibili', 'Hulu', 'nicovideo']]])
  })

  it('knows the sites by their addresses, in any language of their names', () => {
    const named = [
      { site: 'dアニメストア', url: 'https://animestore.docomo.ne.jp/animestore/ci_pc?workId=1' },
      { site: 'Niconico', url: 'https://ch.nicovideo.jp/one' },
      { site: 'Prime Video', url: 'https://www.amazon.co.jp/gp/video/detail/1' },
      { site: '優酷', url: 'https://list.youku.com/show/1' },
      { site: '動畫瘋', url: 'https://acg.gamer.com.tw/acgDetail.php?s=1' },
      { site: '哔哩哔哩（港澳台）', url: 'https://www.bilibili.com/bangumi/media/md1/' },
      { site: '木棉花 HK', url: 'https://www.youtube.com/playlist?list=1' },
      { site: 'Crunchyroll', url: 'https://www.crunchyroll.com/series/1' },
      { site: 'HIDIVE', url: null },
    ]
    const here = (language: string) => byRegion(named, [language])[0]?.sites.map(({ site }) => site)
    expect(here('en-US')).toEqual(['Crunchyroll', 'HIDIVE'])
    expect(here('ja')).toEqual(['dアニメストア', 'Niconico', 'Prime Video', 'Crunchyroll'])
    expect(here('zh-CN')).toEqual(['優酷', 'Crunchyroll'])
    expect(here('zh-HK')).toEqual(['優酷', '動畫瘋', '哔哩哔哩（港澳台）', '木棉花 HK', 'Crunchyroll'])
  })

  it('takes the region from the first language that names one', () => {
    expect(regionOf(['tlh', 'en-GB'])).toBe('GB')
    expect(regionOf(['zh-Hant-TW'])).toBe('TW')
    expect(regionOf([])).toBeNull()
  })
})
