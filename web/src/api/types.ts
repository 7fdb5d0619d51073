/** The shapes of the HTTP API under the names the page uses. They are generated: `npm run types`. */
import type { components } from './schema'

type Schemas = components['schemas']

export type AnimeCard = Schemas['AnimeCard']
export type AnimeDetail = Schemas['AnimeDetail']
export type FranchiseEntry = Schemas['FranchiseEntry']
export type Relation = FranchiseEntry['relation']
export type Recommendation = Schemas['RecommendationBody']
export type RecommendationList = Schemas['RecommendationsBody']
export type Asked = Schemas['AskedBody']
export type AskedPart = Schemas['AskedPart']
export type Explanation = Schemas['Explanation']
export type UserSummary = Schemas['UserSummary']
export type UserPage = Schemas['UsersPage']
export type SimilarUser = Schemas['SimilarUserBody']
export type HistoryItem = Schemas['HistoryEntry']
export type AnimeForUser = Schemas['AnimeForUserBody']
export type Opinion = Schemas['OpinionBody']
export type TasteReport = Schemas['TasteReport']
export type TasteShare = Schemas['TasteShare']
export type Loved = Schemas['LovedEntry']
export type Atlas = Schemas['AtlasBody']
export type SearchHit = Schemas['SearchHit']
export type Found = Schemas['SearchBody']
export type SimilarAnime = Schemas['SimilarAnimeEntry']
export type About = Schemas['AboutBody']
export type Vocabulary = Schemas['GenresBody']
export type InteractionKind = Schemas['EventBody']['kind']
/** An event as this page sends it: always with an id, so that sending it twice counts once. */
export type Interaction = Schemas['EventBody'] & { user_id: string; event_id: string }
export type Accepted = Schemas['AcceptedBody']
export type Calendar = Schemas['CalendarBody']
export type CalendarEntry = Schemas['CalendarEntry']
export type Season = Schemas['SeasonBody']
export type TrendEntry = Schemas['TrendEntry']
export type ContinueEntry = Schemas['ContinueEntry']
export type ImportReport = Schemas['ImportBody']
export type PlanEntry = Schemas['PlanEntry']
export type Forgotten = Schemas['ForgottenBody']
export type Comparison = Schemas['CompareBody']
export type ComparedTitle = Schemas['ComparedEntry']
export type GroupTitle = Schemas['GroupTitle']
export type Models = Schemas['ModelsBody']
export type Serving = Schemas['ServingBody']
export type Experiment = Schemas['ExperimentBody']
export type Validation = Schemas['ValidationBody']
export type PipelineRun = Schemas['RunBody']
export type Compared = Schemas['ComparedBody']
export type Training = Schemas['TrainingBody']

/** The API documents the kinds of reasons as text: new ones may come, and are shown as they are. */
export type Reason = Schemas['ReasonBody']
export const REASON_KINDS = ['because', 'click', 'despite', 'shared', 'genre', 'franchise', 'popular'] as const
export type ReasonKind = (typeof REASON_KINDS)[number]

/** In which language a map names its titles. */
export type TitleLanguage = 'romaji' | 'english' | 'japanese' | 'chinese'

export type WatchStatus = 'watching' | 'completed' | 'on_hold' | 'dropped' | 'planned'

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
  tag?: string[]
  exclude_tag?: string[]
  studio?: string[]
  source?: string[]
  site?: string[]
  year_min?: number
  year_max?: number
  episodes_min?: number
  episodes_max?: number
  duration_min?: number
  duration_max?: number
  min_members?: number
  max_members?: number
  min_score?: number
  hide_sequels?: boolean
  one_per_franchise?: boolean
  hide_dropped_franchises?: boolean
  hide_dropped_series?: boolean
  hide_specials?: boolean
  adult?: boolean
  niche?: number
  diversity?: number
}
