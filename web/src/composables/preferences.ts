import { computed } from 'vue'

import type { ListFilters } from '@/api/types'

import { stored } from './stored'

/** What a reader wants of every list, kept in the browser. An absent field leaves the service's default. */
export type Preferences = Pick<
  ListFilters,
  'adult' | 'hide_sequels' | 'one_per_franchise' | 'hide_dropped_franchises' | 'hide_dropped_series' | 'hide_specials' | 'min_members' | 'niche' | 'diversity'
>

const SWITCHES = ['adult', 'hide_sequels', 'one_per_franchise', 'hide_dropped_franchises', 'hide_dropped_series', 'hide_specials'] as const
const NUMBERS = ['min_members', 'niche', 'diversity'] as const

function parse(value: unknown): Preferences | null {
  if (typeof value !== 'object' || value === null) return null
  const given = value as Record<string, unknown>
  const kept: Preferences = {}
  for (const name of SWITCHES) if (typeof given[name] === 'boolean') kept[name] = given[name]
  for (const name of NUMBERS) if (typeof given[name] === 'number' && given[name] >= 0) kept[name] = given[name]
  return kept
}

export const preferences = stored<Preferences>('gars.preferences', {}, parse)

/** Set one; undefined goes back to the service's default. */
export function prefer<Name extends keyof Preferences>(name: Name, value: Preferences[Name] | undefined) {
  const rest: Preferences = { ...preferences.value }
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- an absent field and undefined differ in an address
  delete rest[name]
  preferences.value = value === undefined ? rest : { ...rest, [name]: value }
}

/** Preferences with a list's own filters over them. */
export const withPreferences = (filters: ListFilters): ListFilters => ({ ...preferences.value, ...filters })

/** True if adult titles are wanted. */
export const wantsAdult = computed(() => preferences.value.adult === true)
