import { useArea } from '@/i18n'

/** The view with its texts, which the first page does without. */
export async function load() {
  await useArea('you', {
    en: () => import('@/locales/you.en.json'),
    ja: () => import('@/locales/you.ja.json'),
    zh: () => import('@/locales/you.zh.json'),
  })
  return import('./UserView.vue')
}
