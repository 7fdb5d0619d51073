import { computed } from 'vue'

import type { AnimeCard, TitleLanguage } from '@/api/types'
import { language } from '@/i18n'

import { oneOf, stored } from './stored'

/** In which language titles are shown: `page` is that of the page. Kept in the browser. */
export const titleLanguage = stored<TitleLanguage | 'page'>(
  'gars.title-language',
  'page',
  oneOf('page', 'romaji', 'english', 'japanese', 'chinese'),
)

const OF_PAGE = { en: 'english', ja: 'japanese', zh: 'chinese' } as const

type Titles = Pick<AnimeCard, 'title' | 'title_english' | 'title_japanese' | 'title_chinese'>

export interface ShownTitle {
  text: string
  /** BCP 47 tag for the `lang` attribute, so that screen readers and fonts get it right. */
  lang: string
}

/** The title in `language`, or the romaji one where that is not known. */
export function titleIn(anime: Titles, language: TitleLanguage): ShownTitle {
  const romaji = { text: anime.title, lang: 'ja-Latn' }
  if (language === 'english') return anime.title_english ? { text: anime.title_english, lang: 'en' } : romaji
  if (language === 'japanese') return anime.title_japanese ? { text: anime.title_japanese, lang: 'ja' } : romaji
  if (language === 'chinese') return anime.title_chinese ? { text: anime.title_chinese, lang: 'zh' } : romaji
  return romaji
}

/** The language titles are shown in now. */
export const shownLanguage = computed((): TitleLanguage => (titleLanguage.value === 'page' ? OF_PAGE[language.value] : titleLanguage.value))

/** The title in the reader's language. */
export const shownTitle = (anime: Titles): ShownTitle => titleIn(anime, shownLanguage.value)

/** Every other title of `anime`, without repeats, the shown one left out. */
export function otherTitles(anime: Titles): ShownTitle[] {
  const seen = new Set([shownTitle(anime).text])
  return (['english', 'romaji', 'japanese', 'chinese'] as const)
    .map((language) => titleIn(anime, language))
    .filter(({ text }) => !seen.has(text) && seen.add(text))
}
