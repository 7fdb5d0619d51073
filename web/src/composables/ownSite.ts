import { oneOf, stored } from './stored'

/** The site where the reader keeps their list: links go there first. Set by an import, or in the settings. */
export const ownSite = stored<'myanimelist' | 'anilist' | null>('gars.site', null, oneOf('myanimelist', 'anilist'))

/** Note the site that a list came from, by the name of its format. */
export function noteSource(source: string) {
  if (/anilist/i.test(source)) ownSite.value = 'anilist'
  else if (/myanimelist/i.test(source)) ownSite.value = 'myanimelist'
}
