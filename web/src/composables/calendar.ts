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
