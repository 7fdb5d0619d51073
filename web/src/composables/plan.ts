import type { PlanEntry } from '@/api/types'

/** Minutes one sitting takes: the whole film, or an episode. */
const sitting = ({ anime, duration_min: minutes }: PlanEntry): number => minutes ?? (anime.type === 'Movie' ? 100 : 25)

/** The steps of a slider, from the left. A genre that a mood does not name has the step in the middle. */
export const STEPS = ['least', 'less', 'any', 'more', 'most'] as const
export type Step = (typeof STEPS)[number]

/** The mood of a reader: a step for each genre that has one other than "any". */
export type Mood = ReadonlyMap<string, Step>

/** Read a mood from an address (`mood=Comedy:most`). What is no step, and a genre that the plan cannot weigh, is left out. */
export function moodFrom(values: readonly (string | null)[], genres: readonly string[]): Mood {
  const mood = new Map<string, Step>()
  for (const value of values) {
    const [, genre = '', word] = /^(.+):(\w+)$/.exec(value ?? '') ?? []
    const step = STEPS.find((known) => known === word)
    if (step && step !== 'any' && genres.includes(genre)) mood.set(genre, step)
  }
  return mood
}

/** A mood as the values of an address, the inverse of `moodFrom`. */
export const moodValues = (mood: Mood): string[] => [...mood].map(([genre, step]) => `${genre}:${step}`)

/** What a step away from "any" multiplies or divides the weight of a title by. */
const STEP_FACTOR = 3

/**
 * Weight of a title in the order and in the draw: 0.1 + p² with p its chance of a like (unknown: 0.5), times 3 for each
 * step to the right and through 3 for each step to the left of the sliders of its genres. "Most" is a factor of 9, as
 * much as p = .95 has over p = 0: nearly all titles of such a genre come first. No weight is 0, so no mood leaves
 * nothing to draw.
 */
export function weightOf({ anime, p_like: chance }: PlanEntry, mood: Mood): number {
  const steps = anime.genres.reduce((sum, genre) => sum + STEPS.indexOf(mood.get(genre) ?? 'any') - STEPS.indexOf('any'), 0)
  return (0.1 + (chance ?? 0.5) ** 2) * STEP_FACTOR ** steps
}

/** Entries that fit the time at hand: `minutes` for one sitting, null for any. */
export const fitting = (entries: readonly PlanEntry[], minutes: number | null): PlanEntry[] =>
  entries.filter((entry) => minutes === null || sitting(entry) <= minutes)

/** Entries by weight, the heaviest first; as they came where the mood names nothing. */
export const byMood = (entries: readonly PlanEntry[], mood: Mood): PlanEntry[] =>
  mood.size ? [...entries].sort((a, b) => weightOf(b, mood) - weightOf(a, mood)) : [...entries]

/**
 * The genres that some titles of the plan have and some have not, by how evenly they divide it: n titles with times
 * n without, the largest first. The slider of any other genre would change nothing.
 */
export function dividingGenres(entries: readonly PlanEntry[]): string[] {
  const counts = new Map<string, number>()
  for (const genre of entries.flatMap(({ anime }) => [...new Set(anime.genres)])) counts.set(genre, (counts.get(genre) ?? 0) + 1)
  const divided = [...counts].map(([genre, n]) => [genre, n * (entries.length - n)] as const).filter(([, pairs]) => pairs > 0)
  return divided.sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([genre]) => genre)
}

/** Draw one by weight; not `before` where there is another. */
export function pickOne(entries: readonly PlanEntry[], before: PlanEntry | null, mood: Mood, random: () => number = Math.random): PlanEntry | null {
  const others = entries.filter(({ anime }) => anime.anime_id !== before?.anime.anime_id)
  const from = others.length ? others : entries
  const weights = from.map((entry) => weightOf(entry, mood))
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  return from.find((_, at) => (left -= weights[at] ?? 0) < 0) ?? from.at(-1) ?? null
}

const escaped = (text: string) => text.replaceAll(']]>', ']]]]><![CDATA[>')

/** The plan as MyAnimeList imports it: https://myanimelist.net/import.php */
export function planXml(entries: readonly PlanEntry[]): string {
  const anime = entries.map(
    ({ anime: { anime_id: id, title, episodes } }) => `  <anime>
    <series_animedb_id>${id}</series_animedb_id>
    <series_title><![CDATA[${escaped(title)}]]></series_title>
    <series_episodes>${episodes ?? 0}</series_episodes>
    <my_watched_episodes>0</my_watched_episodes>
    <my_score>0</my_score>
    <my_status>Plan to Watch</my_status>
    <update_on_import>1</update_on_import>
  </anime>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<myanimelist>
  <myinfo><user_export_type>1</user_export_type></myinfo>
${anime.join('\n')}
</myanimelist>
`
}
