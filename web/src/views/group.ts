import { useArea } from '@/i18n'

/** The view with its texts, which the first page does without. */
export async function load() {
  await useArea('group', {
    en: () => import('@/locales/group.en.json'),
    ja: () => import('@/locales/group.ja.json'),
    zh: () => import('@/locales/group.zh.json'),
  })
  await useArea('invite', {
    en: () => import('@/locales/invite.en.json'),
    ja: () => import('@/locales/invite.ja.json'),
    zh: () => import('@/locales/invite.zh.json'),
  })
  return import('./GroupView.vue')
}
