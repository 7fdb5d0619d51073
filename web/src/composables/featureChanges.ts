import type { Recommendation } from '@/api/types'
import { shownNumber, t, textOr } from '@/i18n'

import { channelInWords, percent } from './wording'

/** One number the ranker saw of a title, before and after an event. */
export interface FeatureChange {
  name: string
  before: number
  after: number
  /** How far it moved, in standard deviations of that number among the titles of the list. */
  size: number
}

const CHANNEL = /^(.+)_(score|place|strongest|supporters)$/
const SHARES = new Set(['genre_share', 'type_share', 'like_baseline', 'like_kriged', 'near_like_rate', 'kriging_open'])
const RATINGS = new Set(['rating_baseline', 'rating_kriged'])
/** The same for every title of a list: they move no title past another. */
const OF_THE_USER = /^user_(titles|rated|like_rate|rating_mean|rating_spread)$/
/** Smaller moves than this say nothing. */
const LEAST = 0.02

const channelOf = (name: string) => CHANNEL.exec(name)?.slice(1) as [string, string] | undefined

/** Standard deviation of each feature among the titles of a list, so that unlike numbers can be compared. */
export function spreads(list: readonly Recommendation[]): Map<string, number> {
  const columns = new Map<string, number[]>()
  for (const { explanation } of list) {
    for (const [name, value] of Object.entries(explanation?.features ?? {})) {
      const column = columns.get(name)
      if (column) column.push(value)
      else columns.set(name, [value])
    }
  }
  return new Map(
    [...columns].map(([name, values]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      return [name, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)]
    }),
  )
}

/** What changed of a title's features, the furthest first. Empty where the lists came without them. */
export function featureChanges(before: Recommendation, after: Recommendation, spread: ReadonlyMap<string, number>): FeatureChange[] {
  const [was, is] = [before.explanation?.features ?? {}, after.explanation?.features ?? {}]
  return Object.entries(is)
    .flatMap(([name, value]) => {
      const old = was[name]
      if (old === undefined || OF_THE_USER.test(name)) return []
      return { name, before: old, after: value, size: Math.abs(value - old) / Math.max(spread.get(name) ?? 0, 1e-3) }
    })
    .filter(({ size }) => size > LEAST)
    .sort((a, b) => b.size - a.size || a.name.localeCompare(b.name))
}

/** The largest changes, one of a kind: a channel's score, place and supporters change together. */
export function mostTelling(changes: readonly FeatureChange[], most: number): FeatureChange[] {
  const kinds = new Set<string>()
  const found = changes.filter(({ name, before, after }) => {
    const kind = channelOf(name)?.[0] ?? name.split('_')[0] ?? name
    if (kinds.has(kind) || shownFeature(name, before) === shownFeature(name, after)) return false
    kinds.add(kind)
    return true
  })
  return found.slice(0, most)
}

/** A feature in the reader's words; one that was added since keeps its name. */
export function featureName(name: string): string {
  const [channel, kind] = channelOf(name) ?? []
  if (channel && kind) return t(`feature.channel.${kind as 'score' | 'place' | 'strongest' | 'supporters'}`, { channel: channelInWords(channel) })
  return textOr(`feature.${name}`, name.replaceAll('_', ' '))
}

/** A feature's value as a reader counts: places from one, shares in percent. */
export function shownFeature(name: string, value: number): string {
  const kind = channelOf(name)?.[1]
  if (kind === 'place') return shownNumber(Math.round(Math.exp(value)))
  if (kind === 'supporters') return shownNumber(Math.round(Math.expm1(value)))
  if (SHARES.has(name)) return `${percent(value)}%`
  return shownNumber(value, { maximumFractionDigits: RATINGS.has(name) ? 1 : 2 })
}

/** The terms a score is the sum of that changed, the furthest first. */
export function termChanges(before: Recommendation, after: Recommendation): FeatureChange[] {
  const [was, is] = [before.explanation?.score ?? {}, after.explanation?.score ?? {}]
  return Object.keys({ ...was, ...is })
    .map((name) => ({ name, before: was[name] ?? 0, after: is[name] ?? 0, size: Math.abs((is[name] ?? 0) - (was[name] ?? 0)) }))
    .filter(({ size }) => size >= 0.005)
    .sort((a, b) => b.size - a.size)
}

/** A term of the score in the reader's words. */
export const termName = (name: string): string => textOr(`feature.term.${name}`, name)
