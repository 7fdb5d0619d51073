import type { CalendarEntry } from '@/api/types'

/** Titles of one weekday, 0 for Sunday; null for those whose day is not known. */
export interface Weekday {
  day: number | null
  /** A date of that weekday, to write its name. */
  date: Date | null
  entries: CalendarEntry[]
}

/** The date of an ISO day at noon: the same day in each time zone. */
export const dayOf = (iso: string): Date => new Date(`${iso}T12:00:00`)

/** Group titles by the weekday of their first episode, beginning with today's; those without a day come last. */
export function byWeekday(entries: readonly CalendarEntry[], today: string): Weekday[] {
  const first = dayOf(today).getDay()
  const groups = new Map<number | null, Weekday>()
  for (const entry of entries) {
    const date = entry.released === null ? null : dayOf(entry.released)
    const day = date?.getDay() ?? null
    const group = groups.get(day) ?? { day, date, entries: [] }
    group.entries.push(entry)
    groups.set(day, group)
  }
  const place = ({ day }: Weekday) => (day === null ? 7 : (day - first + 7) % 7)
  return [...groups.values()].sort((a, b) => place(a) - place(b))
}

/** Titles that come in one month, or in a season where only that is known. */
export interface Span {
  /** The month, `2026-12`, or the season, `2027-winter`; null where neither is known. */
  name: string | null
  entries: CalendarEntry[]
}

/** Group titles to come by month, or by season where the day is not known, in their order. */
export function bySpan(entries: readonly CalendarEntry[]): Span[] {
  const spans = new Map<string | null, Span>()
  for (const entry of entries) {
    const name = entry.released?.slice(0, 7) ?? entry.season
    const span = spans.get(name) ?? { name, entries: [] }
    span.entries.push(entry)
    spans.set(name, span)
  }
  return [...spans.values()]
}
