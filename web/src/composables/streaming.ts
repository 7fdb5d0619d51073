import type { AnimeDetail } from '@/api/types'

type Site = AnimeDetail['streaming'][number]

/** Countries in which a site streams, by a part of its name or address in lower case. What is not listed streams in many. */
const REGIONS: readonly [RegExp, readonly string[]][] = [
  [/gamer|bahamut|ani-?one|viu|line tv|kktv|myvideo|friday|hamivideo|mytv|木棉花|港澳台/, ['TW', 'HK', 'MO']],
  [/bilibili|iqiyi|youku|tencent|\bqq|sohu|letv|pptv|mgtv|acfun/, ['CN', 'TW', 'HK', 'MO']],
  [/\bnico|danime|animestore|abema|unext|u-next|fod|hulu japan|tver|bandai channel|lemino|dmm|telasa|wowow|amazon\.co\.jp/, ['JP']],
  [/wakanim|adn|anime digital/, ['FR', 'BE', 'CH', 'DE']],
  [/hidive|hulu|tubi|funimation|retrocrush/, ['US', 'CA', 'GB', 'AU', 'NZ', 'IE']],
]
const BY_LANGUAGE: Record<string, string> = { ja: 'JP', zh: 'CN', en: 'US', fr: 'FR', de: 'DE' }

/** The country of a reader, from the languages of their browser: "en-GB" → "GB". */
export function regionOf(languages: readonly string[]): string | null {
  for (const tag of languages) {
    const found = /-([A-Z]{2})\b/.exec(tag)?.[1] ?? BY_LANGUAGE[tag.slice(0, 2).toLowerCase()]
    if (found) return found
  }
  return null
}

const streamsIn = ({ site, url }: Site, region: string | null) => {
  const host = /^https?:\/\/([^/?#]+)/.exec(url ?? '')?.[1] ?? ''
  const countries = REGIONS.find(([name]) => name.test(`${site} ${host}`.toLowerCase()))?.[1]
  return !countries || region === null || countries.includes(region)
}

/** Sites of the reader's region, then the others to be folded away. A group without a site is left out. */
export function byRegion(sites: readonly Site[], languages: readonly string[]): { sites: Site[]; folded: boolean }[] {
  const region = regionOf(languages)
  const here = sites.filter((one) => streamsIn(one, region))
  const elsewhere = sites.filter((one) => !here.includes(one))
  return [
    { sites: here, folded: false },
    { sites: elsewhere, folded: true },
  ].filter((group) => group.sites.length > 0)
}
