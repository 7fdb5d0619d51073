import { defineAsyncComponent } from 'vue'

import { useArea } from '@/i18n'

/** Lists asked for in words, with their texts: only the search page needs them. */
export const AskedList = defineAsyncComponent(async () => {
  await useArea('ask', {
    en: () => import('@/locales/ask.en.json'),
    ja: () => import('@/locales/ask.ja.json'),
    zh: () => import('@/locales/ask.zh.json'),
  })
  return import('@/components/explore/AskedList.vue')
})
