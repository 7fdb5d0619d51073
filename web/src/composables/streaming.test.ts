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

  it('takes the region from the first language that names one', () => {
    expect(regionOf(['tlh', 'en-GB'])).toBe('GB')
    expect(regionOf(['zh-Hant-TW'])).toBe('TW')
    expect(regionOf([])).toBeNull()
  })
})
