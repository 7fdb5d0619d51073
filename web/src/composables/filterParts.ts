import type { ListFilters } from '@/api/types'
import { shownNumber, t } from '@/i18n'

import { changed, type FilterChanges, SWITCHES, WORDS } from './listFilters'
import { genreName, sourceName, typeName } from './wording'

/** One thing that is set: how it reads, and what takes it away. */
export interface FilterPart {
  key: string
  text: string
  without: FilterChanges
}

type WordFilter = (typeof WORDS)[number]
/** Of these any word is enough: taking one of several away finds less, not more. */
const ANY_OF: ReadonlySet<WordFilter> = new Set(['type', 'studio', 'source', 'site'])
const RANGES = [
  ['years', 'year_min', 'year_max'],
  ['episodes', 'episodes_min', 'episodes_max'],
  ['duration', 'duration_min', 'duration_max'],
  ['members', 'min_members', 'max_members'],
  ['score', 'min_score', undefined],
] as const

function wordText(name: WordFilter, word: string): string {
  if (name === 'type') return typeName(word)
  if (name === 'genre') return genreName(word)
  if (name === 'exclude_genre') return t('filter.chip.exclude', { value: genreName(word) })
  if (name === 'source') return t('filter.part', { label: t(`filter.chip.${name}`), value: sourceName(word) })
  if (name === 'exclude_tag') return t('filter.chip.exclude', { value: word })
  return t('filter.part', { label: t(`filter.chip.${name}`), value: word })
}

/** "at least 12", "up to 26", "12 to 26"; years are written without separators. */
export function rangeText(low: number | undefined, high: number | undefined, plain = false): string {
  const shown = (value: number) => (plain ? String(value) : shownNumber(value))
  if (low !== undefined && high !== undefined) return low === high ? shown(low) : t('filter.between', { from: shown(low), to: shown(high) })
  if (low !== undefined) return t('filter.atLeast', { value: shown(low) })
  return high === undefined ? t('filter.any') : t('filter.atMost', { value: shown(high) })
}

/** Everything that is set, in the order of the panel. `together` keeps words of which any is enough in one part. */
export function filterParts(filters: ListFilters, together = false): FilterPart[] {
  const parts: FilterPart[] = []
  for (const name of WORDS) {
    const words = filters[name] ?? []
    if (together && ANY_OF.has(name) && words.length > 1) {
      const text = words.map((word) => wordText(name, word)).join(t('filter.or'))
      parts.push({ key: name, text, without: { [name]: undefined } })
      continue
    }
    for (const word of words) {
      parts.push({ key: `${name}=${word}`, text: wordText(name, word), without: { [name]: words.filter((other) => other !== word) } })
    }
  }
  for (const [label, low, high] of RANGES) {
    const from = filters[low]
    const to = high && filters[high]
    if (from === undefined && to === undefined) continue
    const value = rangeText(from, to, label === 'years')
    const without: FilterChanges = high ? { [low]: undefined, [high]: undefined } : { [low]: undefined }
    parts.push({ key: label, text: t('filter.part', { label: t(`filter.${label}`), value }), without })
  }
  for (const name of SWITCHES) {
    const on = filters[name]
    if (on === undefined) continue
    const value = on ? t('filter.yes') : t('filter.no')
    parts.push({ key: name, text: t('filter.part', { label: t(`filter.chip.${name}`), value }), without: { [name]: undefined } })
  }
  return parts
}

/** What to loosen, and how many titles there are then. */
export interface Loosened {
  key: string
  text: string
  changes: FilterChanges
  found: number
}

/**
 * Which one filter to take away so that something passes, the one that gains most first. Where nothing but the usual
 * least number of viewers is in the way, that is one of them.
 */
export async function loosen(filters: ListFilters, count: (filters: ListFilters) => Promise<number>): Promise<Loosened[]> {
  const tries = filterParts(filters, true).map(({ key, text, without }) => ({ key, text: t('filter.without', { name: text }), changes: without }))
  if (filters.min_members === undefined) tries.push({ key: 'little', text: t('filter.littleKnown'), changes: { min_members: 0 } })
  const all = await Promise.all(tries.map(async (one) => ({ ...one, found: await count(changed(filters, one.changes)) })))
  return all.filter(({ found }) => found > 0).sort((a, b) => b.found - a.found)
}
