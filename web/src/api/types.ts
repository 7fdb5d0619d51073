/** The shapes of the HTTP API, written by hand from its documentation until they are generated from OpenAPI. */

export interface AnimeCard {
  anime_id: number
  title: string
  title_english: string | null
  title_japanese: string | null
  title_chinese: string | null
  type: string | null
  episodes: number | null
  year: number | null
  score: number | null
  members: number | null
  genres: string[]
  image: string | null
}

export type Relation = 'this' | 'prequel' | 'sequel' | 'related'

export interface AnimeDetail extends AnimeCard {
  synonyms: string[]
  tags: string[]
  studios: string[]
  source: string | null
  released: string | null
  duration_min: number | null
  synopsis: string | null
  adult: boolean
  links: { myanimelist: string; anilist: string | null; anidb: string | null; tmdb: string | null }
  streaming: { site: string; url: string }[]
  franchise: (AnimeCard & { relation: Relation })[]
}

export type ReasonKind = 'because' | 'genre' | 'franchise' | 'popular' | 'click'

export interface Reason {
  kind: ReasonKind
  text: string
  anime_id: number | null
  title: string | null
  contribution: number | null
}

export interface Recommendation {
  anime: AnimeCard
  score: number
  /** Chance that the user would rate it above 7, from 0 to 1. */
  p_like: number
  channels: string[]
  reasons: Reason[]
}

export interface RecommendationList {
  user_id: string
  /** Version of the user state the list was made from; grows with every event. */
  version: number
  model_version: string
  request_id: string
  cold: boolean
  fallback: 'retrieval' | 'similar' | 'trending' | 'popular' | null
  items: Recommendation[]
}

export interface UserSummary {
  user_id: string
  known: boolean
  version: number
  titles: number
  ratings: number
  rating_mean: number | null
  clicks: number
  recent: AnimeCard[]
}

export interface UserPage {
  users: UserSummary[]
  next: string | null
}

export interface SimilarUser {
  user_id: string
  similarity: number
  shared: number
  shared_titles: AnimeCard[]
}

export interface HistoryItem {
  anime: AnimeCard
  rating: number | null
  status: string | null
  reaction: number | null
  clicked: boolean
  dismissed: boolean
}

export interface SearchHit {
  anime: AnimeCard
  /** 0 to 100. */
  match: number
  /** The title or synonym that matched. */
  matched: string
}

export interface SimilarAnime {
  anime: AnimeCard
  similarity: number
}

export interface About {
  name: string
  version: string
  model: { version: string; trained: string; metrics: Record<string, unknown> | null }
  data: { name: string; simulated: boolean; anime: number; users: number; interactions: number }
}

export interface Vocabulary {
  genres: string[]
  types: string[]
}

export type InteractionKind = 'click' | 'rate' | 'status' | 'like' | 'dislike' | 'seen' | 'dismiss'

export interface Interaction {
  user_id: string
  anime_id: number
  kind: InteractionKind
  value?: number | string | null
  undo?: boolean
  event_id: string
  request_id?: string
}

export interface Accepted {
  accepted: string[]
  duplicates: number
  versions: Record<string, number>
}

/** What `GET /users/{id}/events` sends when the user's state changed. */
export interface ChangedEvent {
  user_id: string
  version: number
  event_id: string
  kind: InteractionKind
  anime_id: number
  accepted_ms: number
}

export interface HelloEvent {
  user_id: string
  version: number
}

/** What to see in a list; an absent field leaves the service's default. */
export interface ListFilters {
  type?: string[]
  genre?: string[]
  exclude_genre?: string[]
  year_min?: number
  year_max?: number
  episodes_max?: number
  min_members?: number
  hide_sequels?: boolean
  one_per_franchise?: boolean
  adult?: boolean
}
