/** Builders for tests: whole API objects from the few fields a test cares about. */
import type { AnimeCard, Recommendation, RecommendationList } from '@/api/types'

export function animeCard(fields: Partial<AnimeCard> = {}): AnimeCard {
  const id = fields.anime_id ?? 1
  return {
    anime_id: id,
    title: `Title ${id}`,
    title_english: null,
    title_japanese: null,
    title_chinese: null,
    type: 'TV',
    episodes: 12,
    year: 2010,
    score: 8,
    members: 1000,
    genres: ['Action'],
    image: null,
    adult: false,
    ...fields,
  }
}

export function recommendation(id: number, fields: Partial<Recommendation> = {}): Recommendation {
  return { anime: animeCard({ anime_id: id }), score: 1, match: 'good', p_like: 0.8, channels: ['edlae'], reasons: [], ...fields }
}

export function recommendationList(ids: number[], fields: Partial<RecommendationList> = {}): RecommendationList {
  return {
    user_id: 'u',
    version: 1,
    model_version: 'm',
    request_id: 'r',
    cold: false,
    fallback: null,
    next: null,
    changed: [],
    items: ids.map((id) => recommendation(id)),
    ...fields,
  }
}
