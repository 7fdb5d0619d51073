import { loadTexts } from '@/composables/anilist'

/** The view with its texts, which no other page needs. */
export async function load() {
  await loadTexts()
  return import('./AniListView.vue')
}
