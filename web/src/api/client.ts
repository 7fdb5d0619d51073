import { t, textOr } from '@/i18n'

import { ApiError, isAbort } from './errors'
import type {
  About,
  Accepted,
  AnimeCard,
  AnimeDetail,
  AnimeForUser,
  Atlas,
  Calendar,
  Comparison,
  ContinueEntry,
  Experiment,
  Forgotten,
  GroupTitle,
  HistoryItem,
  ImportReport,
  Interaction,
  ListFilters,
  Loved,
  Models,
  PipelineRun,
  PlanEntry,
  RecommendationList,
  Found,
  Season,
  Serving,
  SimilarAnime,
  SimilarUser,
  TasteReport,
  TitleLanguage,
  Training,
  TrendEntry,
  UserPage,
  UserSummary,
  Validation,
  Vocabulary,
} from './types'

const BASE = '/api/v1'

type QueryValue = string | number | boolean | readonly string[] | undefined
type Query = Readonly<Record<string, QueryValue>>

/** The query string of `query`: lists are repeated, absent values left out. */
export function toQueryString(query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one))
  }
  const text = parameters.toString()
  return text && `?${text}`
}

async function request<T>(path: string, init: RequestInit = {}, early?: Promise<Response>): Promise<T> {
  let response: Response
  try {
    response = await (early ?? fetch(BASE + path, { ...init, headers: { accept: 'application/json', ...init.headers } }))
  } catch (thrown) {
    if (isAbort(thrown)) throw thrown
    throw new ApiError(
      'unreachable',
      navigator.onLine ? t('error.unreachable') : t('error.offline'),
      navigator.onLine ? t('error.unreachableHint') : t('error.offlineHint'),
      null,
      navigator.onLine ? t('error.operatorHint') : null,
    )
  }
  const body: unknown = await response.json().catch((thrown: unknown) => {
    if (isAbort(thrown)) throw thrown
    return undefined
  })
  if (!response.ok) throw errorOf(response, body)
  if (body === undefined) {
    throw new ApiError('bad_answer', t('error.notJson'), t('error.notJsonHint'), 200, `${path}: not JSON`)
  }
  return body as T
}

function errorOf(response: Response, body: unknown): ApiError {
  const error = (body as { error?: { code?: string; message?: string; hint?: string | null } } | undefined)?.error
  const technical = [`${response.status} ${response.statusText}`.trim(), error?.message, error?.hint].filter(Boolean).join(' · ')
  const known = error?.code === undefined ? null : textOr(`failure.${error.code}`, '')
  // What the service says is for developers and operators: a reader gets words of the page, and that behind "Details".
  const message = known || t(response.status >= 500 ? 'error.service' : 'error.refused')
  return new ApiError(error?.code ?? 'bad_answer', message, null, response.status, technical)
}

const get = <T>(path: string, query: Query = {}, signal?: AbortSignal) =>
  request<T>(path + toQueryString(query), signal ? { signal } : {})

/** Take the answer to the request that `early.js` sent, once: it may be out of date when it is asked for again. */
function takeEarlyAbout(): Promise<Response> | undefined {
  const early = window.garsAbout
  delete window.garsAbout
  return early
}

const send = <T>(path: string, query: Query, body: BodyInit | null, headers: Record<string, string> = {}, keepalive = false) =>
  request<T>(path + toQueryString(query), { method: 'POST', body, headers, keepalive })

const JSON_TYPE = { 'content-type': 'application/json' }

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const operator = <T>(path: string, token: string, signal?: AbortSignal) =>
  request<T>(path, { headers: bearer(token), ...(signal ? { signal } : {}) })

/** A route outside the API that answers in plain text. */
async function requestText(path: string, token: string, signal?: AbortSignal): Promise<string> {
  const response = await fetch(path, { headers: bearer(token), ...(signal ? { signal } : {}) })
  if (!response.ok) throw errorOf(response, await response.json().catch(() => undefined))
  return response.text()
}

const user = (id: string) => `/users/${encodeURIComponent(id)}`

/** Every route of the API the page uses. Each throws `ApiError`, or the abort of its own signal. */
export const api = {
  about: () => request<About>('/about', {}, takeEarlyAbout()),
  vocabulary: (signal?: AbortSignal) => get<Vocabulary>('/genres', {}, signal),
  onboarding: (k: number, signal?: AbortSignal) =>
    get<{ items: AnimeCard[] }>('/onboarding', { k }, signal).then((body) => body.items),

  users: (limit: number, after?: string, signal?: AbortSignal) => get<UserPage>('/users', { limit, after }, signal),
  user: (id: string, signal?: AbortSignal) => get<UserSummary>(user(id), {}, signal),
  history: (id: string, limit: number, signal?: AbortSignal) =>
    get<{ items: HistoryItem[] }>(`${user(id)}/history`, { limit }, signal).then((body) => body.items),
  plan: (id: string, signal?: AbortSignal) => get<{ items: PlanEntry[] }>(`${user(id)}/plan`, {}, signal).then((body) => body.items),
  animeFor: (id: string, animeId: number, signal?: AbortSignal) => get<AnimeForUser>(`${user(id)}/anime/${animeId}`, {}, signal),
  taste: (id: string, signal?: AbortSignal) => get<TasteReport>(`${user(id)}/taste`, {}, signal),
  lovedByAlike: (id: string, k: number, signal?: AbortSignal) =>
    get<{ items: Loved[] }>(`${user(id)}/similar-users/loved`, { k }, signal).then((body) => body.items),
  similarUsers: (id: string, k: number, signal?: AbortSignal) =>
    get<{ items: SimilarUser[] }>(`${user(id)}/similar-users`, { k }, signal).then((body) => body.items),
  compare: (id: string, other: string, signal?: AbortSignal) => get<Comparison>(`${user(id)}/compare/${encodeURIComponent(other)}`, {}, signal),
  recommendations: (id: string, k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<RecommendationList>(`${user(id)}/recommendations`, { k, ...filters }, signal),

  anime: (id: number, signal?: AbortSignal) => get<AnimeDetail>(`/anime/${id}`, {}, signal),
  similarAnime: (id: number, k: number, sameFranchise: boolean, signal?: AbortSignal) =>
    get<{ items: SimilarAnime[] }>(`/anime/${id}/similar`, { k, same_franchise: sameFranchise }, signal).then(
      (body) => body.items,
    ),
  search: (query: string, limit: number, signal?: AbortSignal) =>
    get<Found>('/anime', { query, limit }, signal),

  /** The list within a request in words. */
  asked: (id: string, ask: string, k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<RecommendationList>(`${user(id)}/recommendations`, { k, ask, ...filters }, signal),
  /** The list with what each score is the sum of, and every number the ranker saw. */
  explained: (id: string, k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<RecommendationList>(`${user(id)}/recommendations`, { k, explain: 'full', ...filters }, signal),
  gems: (id: string, k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<RecommendationList>(`${user(id)}/hidden-gems`, { k, ...filters }, signal),
  /** Titles without viewers yet. */
  newcomers: (id: string, k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<{ items: AnimeCard[] }>(`${user(id)}/new`, { k, ...filters }, signal).then((body) => body.items),
  continues: (id: string, k: number, adult: boolean, signal?: AbortSignal) =>
    get<{ items: ContinueEntry[] }>(`${user(id)}/continue`, { k, adult }, signal).then((body) => body.items),
  trending: (k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<{ items: TrendEntry[] }>('/anime/trending', { k, ...filters }, signal).then((body) => body.items),
  atlas: (titles: TitleLanguage, signal?: AbortSignal) => get<Atlas>('/anime/atlas', { titles }, signal),
  calendar: (k: number, filters: ListFilters, signal?: AbortSignal) => get<Calendar>('/anime/calendar', { k, ...filters }, signal),
  season: (k: number, signal?: AbortSignal) => get<Season>('/anime/season', { k }, signal),

  interact: (interaction: Interaction) =>
    send<Accepted>('/interactions', {}, JSON.stringify(interaction), JSON_TYPE, true),
  /** Bring in a list: the file as it is, the service sees what it is. */
  importList: (userId: string, file: Blob) =>
    send<ImportReport>('/lists/import', { user_id: userId }, file, { 'content-type': 'application/octet-stream' }),
  fetchList: (userId: string, site: 'anilist' | 'myanimelist', name: string) =>
    send<ImportReport>('/lists/fetch', { user_id: userId, site, name }, null),
  group: (members: { user_id: string; weight: number }[], k: number, filters: ListFilters) =>
    send<{ items: GroupTitle[] }>('/groups/recommendations', { k, ...filters }, JSON.stringify({ members }), JSON_TYPE).then(
      (body) => body.items,
    ),
  forget: (id: string) => request<Forgotten>(user(id), { method: 'DELETE' }),

  /** What operators see and do; each takes the operator's token. */
  metrics: (token: string, signal?: AbortSignal) => requestText('/metrics', token, signal),
  models: (token: string, signal?: AbortSignal) => operator<Models>('/admin/models', token, signal),
  training: (token: string, signal?: AbortSignal) =>
    operator<{ latest: Training | null }>('/admin/training', token, signal),
  validation: (token: string, signal?: AbortSignal) =>
    operator<{ latest: Validation | null }>('/admin/validation', token, signal),
  pipelineRuns: (token: string, signal?: AbortSignal) =>
    operator<{ runs: PipelineRun[] }>('/admin/runs', token, signal).then(({ runs }) => runs),
  promote: (token: string, version: string) =>
    request<Serving>(`/admin/models/promote${toQueryString({ version })}`, { method: 'POST', headers: bearer(token) }),
  rollback: (token: string) => request<Serving>('/admin/models/rollback', { method: 'POST', headers: bearer(token) }),
  experiment: (signal?: AbortSignal) => get<Experiment>('/experiment', {}, signal),

  /** Address of everything known of a user, as a file. */
  exportUrl: (id: string) => `${BASE}${user(id)}/export`,
  /** Address of the user's event stream (Server-Sent Events). */
  eventsUrl: (id: string) => `${BASE}${user(id)}/events`,
}
