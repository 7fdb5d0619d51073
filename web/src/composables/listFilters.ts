import { computed, shallowRef, watch } from 'vue'
import { type LocationQuery, useRoute, useRouter } from 'vue-router'

import type { ListFilters } from '@/api/types'

const WORDS = ['type', 'genre', 'exclude_genre', 'tag', 'studio', 'source', 'site'] as const
const NUMBERS = ['year_min', 'year_max', 'episodes_max', 'min_members', 'min_score'] as const
const SWITCHES = ['hide_sequels', 'one_per_franchise', 'adult'] as const

/** Filters from an address; what it does not understand is left out. */
export function filtersFrom(query: LocationQuery): ListFilters {
  const filters: ListFilters = {}
  for (const name of WORDS) {
    const words = [query[name] ?? []].flat().filter((word) => word !== null)
    if (words.length) filters[name] = words
  }
  for (const name of NUMBERS) {
    const text = query[name]
    if (typeof text === 'string' && /^\d{1,9}$/.test(text)) filters[name] = Number(text)
  }
  for (const name of SWITCHES) if (query[name] === 'true' || query[name] === 'false') filters[name] = query[name] === 'true'
  return filters
}

/** The address of `filters`. */
export function queryOf(filters: ListFilters): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(filters).map(([name, value]) => [name, Array.isArray(value) ? (value as string[]) : String(value)]),
  )
}

/** The list's filters, which live in the address: a filtered list can be sent to a friend. */
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

  /** Change some filters; undefined takes one away. */
  function change(changes: { [Name in keyof ListFilters]: ListFilters[Name] | undefined }) {
    const next = Object.fromEntries(
      Object.entries({ ...filters.value, ...changes }).filter(
        ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
      ),
    ) as ListFilters
    void router.replace({ name: page, query: queryOf(next) })
  }

  const count = computed(() => Object.keys(filters.value).length)
  return { filters, change, clear: () => void router.replace({ name: page }), count }
}
