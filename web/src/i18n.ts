import { watch } from 'vue'
import { type Composer, createI18n } from 'petite-vue-i18n'

import type admin from '@/locales/admin.en.json'
import type ask from '@/locales/ask.en.json'
import en from '@/locales/en.json'
import type features from '@/locales/features.en.json'
import type filterTexts from '@/locales/filters.en.json'

import { oneOf, stored } from './composables/stored'

export const LANGUAGES = { en: 'English', ja: '日本語', zh: '中文' } as const
export type Language = keyof typeof LANGUAGES

export type MessageKey = keyof typeof en | keyof typeof admin | keyof typeof ask | keyof typeof features | keyof typeof filterTexts

/** The first language of the browser that the page speaks. */
export function preferred(languages: readonly string[]): Language {
  const known = languages.map((tag) => tag.toLowerCase().slice(0, 2)).find((tag) => tag in LANGUAGES)
  return (known as Language | undefined) ?? 'en'
}

/** The language of the page, kept in the browser. */
export const language = stored<Language>('gars.language', preferred(navigator.languages), oneOf('en', 'ja', 'zh'))

const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en },
  // A text that is missing would be a mistake of ours: a test finds it before a reader does.
  missingWarn: false,
  fallbackWarn: false,
})

// Which languages there are is known here, which texts by `MessageKey`: the library's own types are not needed.
const global = i18n.global as unknown as Composer

/** Texts by language and area: what only one view needs is loaded with it. */
type Load = () => Promise<{ default: Record<string, unknown> }>
const areas = new Map<string, Record<Language, Load>>()
const loaded = new Set<string>()

async function load(area: string, wanted: Language) {
  const key = `${area}/${wanted}`
  if (loaded.has(key)) return
  const { default: messages } = await (areas.get(area) as Record<Language, Load>)[wanted]()
  global.mergeLocaleMessage(wanted, messages)
  loaded.add(key)
}

async function show(wanted: Language) {
  await Promise.all([...areas.keys()].flatMap((area) => [load(area, 'en'), load(area, wanted)]))
  if (language.value !== wanted) return
  global.locale.value = wanted
  document.documentElement.lang = wanted
}

/** Have the texts of an area in the language shown, now and whenever it changes. */
export async function useArea(area: string, texts: Record<Language, Load>) {
  areas.set(area, texts)
  await show(language.value)
}

/** Resolves once the page can be shown in the reader's language. */
export const ready = useArea('page', {
  en: () => Promise.resolve({ default: en }),
  ja: () => import('@/locales/ja.json'),
  zh: () => import('@/locales/zh.json'),
})
watch(language, (wanted) => void show(wanted))

type Values = Record<string, string | number>

/** The text of `key` with `values` put in; where it counts something, `values.n` decides the form. */
export function t(key: MessageKey, values: Values = {}): string {
  return typeof values.n === 'number' ? global.t(key, values, values.n) : global.t(key, values)
}

/** A text that may not exist, such as the name of a genre added later: then `otherwise`. */
export const textOr = (key: string, otherwise: string): string => (key in global.getLocaleMessage('en') ? global.t(key) : otherwise)

/** A number as the reader's language writes it. */
export const shownNumber = (value: number, options?: Intl.NumberFormatOptions): string =>
  // What rounds to nothing has no sign: 0.00, not -0.00.
  new Intl.NumberFormat(global.locale.value, { signDisplay: 'negative', ...options }).format(value)

/** A day or time as the reader's language writes it. */
export const shownDate = (value: Date, options?: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(global.locale.value, options).format(value)
