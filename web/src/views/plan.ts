import { useArea } from '@/i18n'

/** The view with its texts, which the first page does without. */
export async function load() {
  await useArea('plan', {
    en: () => import('@/locales/plan.en.json'),
    ja: () => import('@/locales/plan.ja.json'),
    zh: () => import('@/locales/plan.zh.json'),
  })
  return import('./PlanView.vue')
}
