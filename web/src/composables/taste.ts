import type { HistoryItem, TasteShare } from '@/api/types'

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

/** How often each rating was given, from 1 to 10. */
export const ratingBarsOf = (counts: readonly number[]): Bar[] => bars(counts.map((count, at) => [String(at + 1), count]))

/** Of these shares, what a viewer has most unlike others: how many times as much, the largest difference first. */
export function differences(shares: readonly TasteShare[], most = 5): { name: string; times: number }[] {
  return shares
    .filter(({ share, others }) => share > 0 && others > 0)
    .map(({ name, share, others }) => ({ name, times: share / others }))
    .filter(({ times }) => times >= 1.2 || times <= 1 / 1.2)
    .sort((a, b) => Math.abs(Math.log(b.times)) - Math.abs(Math.log(a.times)))
    .slice(0, most)
}

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

/** True if a title of the history was liked: rated above 7, marked as liked, or finished without another opinion. */
export const isLiked = ({ rating, reaction, status }: Pick<HistoryItem, 'rating' | 'reaction' | 'status'>): boolean =>
  rating === null && reaction === null ? status === 'completed' : reaction === 1 || (reaction === null && (rating ?? 0) > 7)
