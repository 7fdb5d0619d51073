import type { HistoryItem } from '@/api/types'
import { t } from '@/i18n'

export interface Bar {
  label: string
  count: number
  /** Of the largest bar, 0 to 1. */
  share: number
}

function bars(counts: Iterable<[string, number]>): Bar[] {
  const all = [...counts]
  const most = Math.max(1, ...all.map(([, count]) => count))
  return all.map(([label, count]) => ({ label, count, share: count / most }))
}

/** How often each rating from 1 to 10 was given. */
export function ratingBars(history: readonly HistoryItem[]): Bar[] {
  const counts = new Map<string, number>(Array.from({ length: 10 }, (_, index) => [String(index + 1), 0]))
  for (const { rating } of history) if (rating !== null) counts.set(String(rating), (counts.get(String(rating)) ?? 0) + 1)
  return bars(counts)
}

/** The genres most often liked or rated above 7; of everything, where nothing was. */
export function genreBars(history: readonly HistoryItem[], most = 8): Bar[] {
  const liked = history.filter(({ rating, reaction }) => reaction === 1 || (rating ?? 0) > 7)
  const counts = new Map<string, number>()
  for (const { anime } of liked.length ? liked : history) {
    for (const genre of anime.genres) counts.set(genre, (counts.get(genre) ?? 0) + 1)
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
  return bars(ranked.slice(0, most))
}

const decadeName = (year: number) => t('user.decade', { year })

const decadeOf = (year: number) => Math.floor(year / 10) * 10

/** The decade most liked titles are of, or most titles where nothing was liked; null where no year is known. */
export function favouriteDecade(history: readonly HistoryItem[]): number | null {
  const liked = history.filter(({ rating, reaction }) => reaction === 1 || (rating ?? 0) > 7)
  const counts = new Map<number, number>()
  for (const { anime } of liked.length ? liked : history) {
    if (anime.year !== null) counts.set(decadeOf(anime.year), (counts.get(decadeOf(anime.year)) ?? 0) + 1)
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || b - a)[0]?.[0] ?? null
}

/** How many titles of each decade, oldest first, none left out between. */
export function decadeBars(history: readonly HistoryItem[]): Bar[] {
  const decades = history.flatMap(({ anime }) => (anime.year === null ? [] : [decadeOf(anime.year)]))
  if (!decades.length) return []
  const first = Math.min(...decades)
  const length = (Math.max(...decades) - first) / 10 + 1
  const counts = new Map(Array.from({ length }, (_, index): [string, number] => [decadeName(first + index * 10), 0]))
  for (const decade of decades) counts.set(decadeName(decade), (counts.get(decadeName(decade)) ?? 0) + 1)
  return bars(counts)
}
