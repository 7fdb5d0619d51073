import { shallowReactive, shallowRef, watch } from 'vue'

import type admin from '@/locales/admin.en.json'
import type anilist from '@/locales/anilist.en.json'
import type ask from '@/locales/ask.en.json'
import type covers from '@/locales/covers.en.json'
import en from '@/locales/en.json'
import type compare from '@/locales/compare.en.json'
import type features from '@/locales/features.en.json'
import type filterTexts from '@/locales/filters.en.json'
import type group from '@/locales/group.en.json'
import type invite from '@/locales/invite.en.json'
import type plan from '@/locales/plan.en.json'
import type season from '@/locales/season.en.json'
import type you from '@/locales/you.en.json'

import { oneOf, stored } from './composables/stored'

export const LANGUAGES = { en: 'English', ja: '日本語', zh: '中文' } as const
export type Language = keyof typeof LANGUAGES

export type MessageKey = keyof typeof en | keyof typeof admin | keyof typeof anilist | keyof typeof ask | keyof typeof compare | keyof typeof covers | keyof typeof features | keyof typeof filterTexts | keyof typeof group | keyof typeof invite | keyof typeof plan | keyof typeof season | keyof typeof you

/** The first language of the browser that the page speaks. */
export function preferred(languages: readonly string[]): Language {
  const known = languages.map((tag) => tag.toLowerCase().slice(0, 2)).find((tag) => tag in LANGUAGES)
  return (known as Language | undefined) ?? 'en'
}

/** The language of the page, kept in the browser. */
export const language = stored<Language>('gars.language', preferred(navigator.languages), oneOf('en', 'ja', 'zh'))

/** Texts by key, of each language that was loaded. */
type Messages = Readonly<Record<string, string>>
const messages = shallowReactive<Record<Language, Messages>>({ en, ja: {}, zh: {} })
/** The language that is shown: it follows `language` once its texts are there. */
const shown = shallowRef<Language>('en')

/** Texts by language and area: what only one view needs is loaded with it. */
type Load = () => Promise<{ default: Messages }>
const areas = new Map<string, Record<Language, Load>>()
const loaded = new Set<string>()

async function load(area: string, wanted: Language) {
  const key = `${area}/${wanted}`
  if (loaded.has(key)) return
  const { default: texts } = await (areas.get(area) as Record<Language, Load>)[wanted]()
  messages[wanted] = { ...messages[wanted], ...texts }
  loaded.add(key)
}

async function show(wanted: Language) {
  await Promise.all([...areas.keys()].flatMap((area) => [load(area, 'en'), load(area, wanted)]))
  if (language.value !== wanted) return
  shown.value = wanted
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

type Values = Readonly<Record<string, string | number>>

/** The message of `key`, or the English one; a key without a message is a mistake that the tests find. */
const messageOf = (key: string): string => messages[shown.value][key] ?? messages.en[key] ?? key

/**
 * Format a message: `{name}` is replaced by the value of that name. "one | many": the first form where `values.n` is 1, else
 * the last.
 */
export function format(message: string, values: Values = {}): string {
  const forms = message.split(' | ')
  const form = (values.n === 1 ? forms[0] : forms.at(-1)) ?? message
  return form.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder))
}

/** The text of `key` with `values` put in; where it counts something, `values.n` decides the form. */
export const t = (key: MessageKey, values?: Values): string => format(messageOf(key), values)

/** A text that may not exist, such as the name of a genre added later: then `otherwise`. */
export const textOr = (key: string, otherwise: string): string => (key in messages.en ? messageOf(key) : otherwise)

/** A number as the reader's language writes it. */
export const shownNumber = (value: number, options?: Intl.NumberFormatOptions): string =>
  // What rounds to nothing has no sign: 0.00, not -0.00.
  new Intl.NumberFormat(shown.value, { signDisplay: 'negative', ...options }).format(value)

/** A day or time as the reader's language writes it. */
export const shownDate = (value: Date, options?: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(shown.value, options).format(value)
