import { computed, shallowRef, watch } from 'vue'
import { type LocationQuery, useRoute, useRouter } from 'vue-router'

import type { ListFilters } from '@/api/types'

export const WORDS = ['type', 'genre', 'exclude_genre', 'tag', 'exclude_tag', 'studio', 'source', 'site'] as const
export const NUMBERS = [
  'year_min',
  'year_max',
  'episodes_min',
  'episodes_max',
  'duration_min',
  'duration_max',
  'min_members',
  'max_members',
  'min_score',
] as const
export const SWITCHES = ['hide_sequels', 'one_per_franchise', 'hide_dropped_franchises', 'hide_dropped_series', 'hide_specials', 'adult'] as const

/** Filters to set; undefined takes one away. */
export type FilterChanges = { [Name in keyof ListFilters]: ListFilters[Name] | undefined }

/** `filters` with some changed; what is empty is not there. */
export const changed = (filters: ListFilters, changes: FilterChanges): ListFilters =>
  Object.fromEntries(
    Object.entries({ ...filters, ...changes }).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  )

/** The largest value the service takes of each number. */
const MOST: Record<(typeof NUMBERS)[number], number> = {
  year_min: 9999,
  year_max: 9999,
  episodes_min: 100_000,
  episodes_max: 100_000,
  duration_min: 10_000,
  duration_max: 10_000,
  min_members: 2 ** 31 - 1,
  max_members: 2 ** 31 - 1,
  min_score: 10,
}
const RANGES = [
  ['year_min', 'year_max'],
  ['episodes_min', 'episodes_max'],
  ['duration_min', 'duration_max'],
] as const
const MOST_WORDS = 20
const LONGEST_WORD = 100

/** Read filters from an address. What the service would refuse is left out: a broken link still shows a list. */
export function filtersFrom(query: LocationQuery): ListFilters {
  const filters: ListFilters = {}
  for (const name of WORDS) {
    const words = [query[name] ?? []].flat().filter((word): word is string => word !== null && word !== '' && word.length <= LONGEST_WORD)
    if (words.length) filters[name] = [...new Set(words)].slice(0, MOST_WORDS)
  }
  for (const name of NUMBERS) {
    const text = query[name]
    if (typeof text !== 'string' || !(name === 'min_score' ? /^\d{1,2}(\.\d{1,2})?$/ : /^\d{1,10}$/).test(text)) continue
    if (Number(text) <= MOST[name]) filters[name] = Number(text)
  }
  for (const name of SWITCHES) if (query[name] === 'true' || query[name] === 'false') filters[name] = query[name] === 'true'
  const upsideDown = RANGES.filter(([low, high]) => (filters[low] ?? 0) > (filters[high] ?? Infinity)).flat()
  return changed(filters, Object.fromEntries(upsideDown.map((name) => [name, undefined])))
}

/** The address of `filters`. */
export function queryOf(filters: ListFilters): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(filters).map(([name, value]) => [name, Array.isArray(value) ? (value as string[]) : String(value)]),
  )
}

/** The list's filters, which live in the address: a filtered list can be sent to a friend, and Back takes a filter away. */
export function useListFilters(page: 'home' | 'explore') {
  const route = useRoute()
  const router = useRouter()
  const filters = shallowRef<ListFilters>({})

  watch(
    () => route.query,
    (query) => {
      if (route.name !== page) return
      const next = filtersFrom(query)
      if (JSON.stringify(next) !== JSON.stringify(filters.value)) filters.value = next
    },
    { immediate: true },
  )

  function change(changes: FilterChanges) {
    void router.push({ name: page, query: queryOf(changed(filters.value, changes)) })
  }

  const count = computed(() => Object.keys(filters.value).length)
  return { filters, change, clear: () => void router.push({ name: page }), count }
}
