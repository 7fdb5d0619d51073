import type { AnimeCard } from '@/api/types'

import { useArea } from '@/i18n'

import { about, loadAbout } from './about'
import { stored } from './stored'

/** The reader's choice between cover images and drawn covers, kept in the browser; null before a choice. */
export const coverChoice = stored<boolean | null>('gars.covers', null, (value) => (typeof value === 'boolean' ? value : null))

/** True if cover images are shown: the service offers them, and the reader agreed where it is to be asked. */
export function showsCovers(): boolean {
  const mode = about.value?.covers ?? 'off'
  return mode !== 'off' && (coverChoice.value ?? mode !== 'ask')
}

/** True if the reader is to be asked whether cover images may be fetched. */
export const asksForCovers = () => about.value?.covers === 'ask' && coverChoice.value === null

/** The address of a title's cover image, or null where its cover is drawn. */
export function coverAddress(anime: AnimeCard): string | null {
  if (anime.image === null || !showsCovers()) return null
  return about.value?.covers === 'direct' ? anime.image : `/api/v1/anime/${anime.anime_id}/cover`
}

/** Load the question whether cover images may be fetched, with its texts. */
export async function loadCoversQuestion() {
  await useArea('covers', {
    en: () => import('@/locales/covers.en.json'),
    ja: () => import('@/locales/covers.ja.json'),
    zh: () => import('@/locales/covers.zh.json'),
  })
  return import('@/components/common/CoversQuestion.vue')
}

/**
 * On a first visit, resolve when it is known whether the question is to be asked and the question is loaded, after 1.5 s at most.
 *
 * The question stands above the content: one that came later would move everything.
 */
export async function coversQuestionReady() {
  if (coverChoice.value !== null) return
  const known = loadAbout().then(async () => void (asksForCovers() && (await loadCoversQuestion())))
  await Promise.race([known.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 1500))])
}
