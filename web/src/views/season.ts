import { useArea } from '@/i18n'

/** The view with its texts, which the first page does without. */
export async function load() {
  await useArea('season', {
    en: () => import('@/locales/season.en.json'),
    ja: () => import('@/locales/season.ja.json'),
    zh: () => import('@/locales/season.zh.json'),
  })
  return import('./SeasonView.vue')
}
