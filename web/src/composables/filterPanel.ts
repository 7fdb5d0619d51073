import { defineAsyncComponent } from 'vue'

import { useArea } from '@/i18n'

/** Filters and their texts come when one looks at them: the first page does without. */
const texts = () =>
  useArea('filters', {
    en: () => import('@/locales/filters.en.json'),
    ja: () => import('@/locales/filters.ja.json'),
    zh: () => import('@/locales/filters.zh.json'),
  })

export const FilterAside = defineAsyncComponent(async () => {
  await texts()
  return import('@/components/list/FilterAside.vue')
})
export const FilterChips = defineAsyncComponent(async () => {
  await texts()
  return import('@/components/list/FilterChips.vue')
})
export const LoosenFilters = defineAsyncComponent(async () => {
  await texts()
  return import('@/components/list/LoosenFilters.vue')
})
