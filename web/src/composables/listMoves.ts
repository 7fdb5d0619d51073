import type { Recommendation } from '@/api/types'
import { t } from '@/i18n'

import { titlesInLine } from './wording'

/** What a new list did to one title of it. */
export type Move = { kind: 'new' } | { kind: 'up'; by: number } | { kind: 'down'; by: number }

/** A title that both lists hold, and how it stood before. */
export interface Shift {
  item: Recommendation
  before: Recommendation
  by: number
}

export interface ListChange {
  moves: Map<number, Move>
  added: Recommendation[]
  removed: Recommendation[]
  /** Titles that rose, the steepest first. */
  rose: Shift[]
  fell: Shift[]
  /** The whole list as it is now. */
  after: readonly Recommendation[]
}

/**
 * Compare two lists. A title's move is counted among the titles both lists hold, so that one title taken from the top
 * does not read as "everything rose by one".
 */
export function compareLists(before: readonly Recommendation[], after: readonly Recommendation[]): ListChange {
  const idsAfter = new Set(after.map(({ anime }) => anime.anime_id))
  const stayedBefore = before.map(({ anime }) => anime.anime_id).filter((id) => idsAfter.has(id))
  const rankBefore = new Map(stayedBefore.map((id, rank) => [id, rank]))

  const itemBefore = new Map(before.map((item) => [item.anime.anime_id, item]))

  const change: ListChange = { moves: new Map(), added: [], removed: [], rose: [], fell: [], after }
  let rank = 0
  for (const item of after) {
    const id = item.anime.anime_id
    const old = rankBefore.get(id)
    if (old === undefined) {
      change.added.push(item)
      change.moves.set(id, { kind: 'new' })
      continue
    }
    const by = old - rank
    rank += 1
    const held = itemBefore.get(id) ?? item
    if (by > 0) change.rose.push({ item, before: held, by })
    if (by < 0) change.fell.push({ item, before: held, by: -by })
    if (by !== 0) change.moves.set(id, by > 0 ? { kind: 'up', by } : { kind: 'down', by: -by })
  }
  change.removed = before.filter(({ anime }) => !idsAfter.has(anime.anime_id))
  change.rose.sort((a, b) => b.by - a.by)
  change.fell.sort((a, b) => b.by - a.by)
  return change
}

/** Describe a change by titles: "New for you: Monster, Paranoia Agent", else what leads the list now. */
export function summarizeChange(change: ListChange): string {
  if (change.added.length) return t('move.newFor', { n: change.added.length, names: titlesInLine(change.added.map(({ anime }) => anime)) })
  const [first] = change.rose
  return first ? t('move.higher', { names: titlesInLine(change.rose.map(({ item }) => item.anime)) }) : t('move.nothing')
}

/** Count a change, for the details: "2 new, 3 rose, 1 left". */
export function countChanges(change: ListChange): string {
  const parts = [
    [change.added.length, 'move.countNew'],
    [change.rose.length, 'move.countRose'],
    [change.fell.length, 'move.countFell'],
    [change.removed.length, 'move.countLeft'],
  ] as const
  const counted = parts.filter(([n]) => n > 0).map(([n, key]) => t(key, { n }))
  return counted.length ? counted.join(t('move.and')) : t('move.nothing')
}
