import type { PlanEntry } from '@/api/types'

/** Minutes one sitting takes: the whole film, or an episode. */
const sitting = ({ anime, duration_min: minutes }: PlanEntry): number => minutes ?? (anime.type === 'Movie' ? 100 : 25)

/** What fits the time at hand and the mood: `minutes` for one sitting, null for any; every one of `genres`. */
export const fitting = (entries: readonly PlanEntry[], minutes: number | null, genres: readonly string[]): PlanEntry[] =>
  entries.filter((entry) => (minutes === null || sitting(entry) <= minutes) && genres.every((genre) => entry.anime.genres.includes(genre)))

/** The genres that most of the plan has, the most frequent first. */
export function frequentGenres(entries: readonly PlanEntry[], most = 8): string[] {
  const counts = new Map<string, number>()
  for (const genre of entries.flatMap(({ anime }) => anime.genres)) counts.set(genre, (counts.get(genre) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).slice(0, most).map(([genre]) => genre)
}

/** Draw one, a likely favourite more often; not `before` where there is another. */
export function pickOne(entries: readonly PlanEntry[], before: PlanEntry | null, random: () => number = Math.random): PlanEntry | null {
  const others = entries.filter(({ anime }) => anime.anime_id !== before?.anime.anime_id)
  const from = others.length ? others : entries
  const weights = from.map(({ p_like: chance }) => 0.1 + (chance ?? 0.5) ** 2)
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
