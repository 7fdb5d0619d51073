import { useArea } from '@/i18n'

/** The view with its texts, which the first page does without. */
export async function load() {
  await useArea('compare', {
    en: () => import('@/locales/compare.en.json'),
    ja: () => import('@/locales/compare.ja.json'),
    zh: () => import('@/locales/compare.zh.json'),
  })
  await useArea('invite', {
    en: () => import('@/locales/invite.en.json'),
    ja: () => import('@/locales/invite.ja.json'),
    zh: () => import('@/locales/invite.zh.json'),
  })
  return import('./CompareView.vue')
}
