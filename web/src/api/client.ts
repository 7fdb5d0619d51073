import { t } from '@/i18n'

import { ApiError, isAbort } from './errors'
import type {
  About,
  Accepted,
  AnimeCard,
  AnimeDetail,
  HistoryItem,
  Interaction,
  ListFilters,
  RecommendationList,
  SearchHit,
  SimilarAnime,
  SimilarUser,
  UserPage,
  UserSummary,
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

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(BASE + path, { ...init, headers: { accept: 'application/json', ...init.headers } })
  } catch (thrown) {
    if (isAbort(thrown)) throw thrown
    throw new ApiError(
      'unreachable',
      navigator.onLine ? t('error.unreachable') : t('error.offline'),
      navigator.onLine ? t('error.unreachableHint') : t('error.offlineHint'),
    )
  }
  const body: unknown = await response.json().catch((thrown: unknown) => {
    if (isAbort(thrown)) throw thrown
    return undefined
  })
  if (!response.ok) throw errorOf(response, body)
  if (body === undefined) {
    throw new ApiError('bad_answer', t('error.notJson', { path }), t('error.notJsonHint'), 200)
  }
  return body as T
}

function errorOf(response: Response, body: unknown): ApiError {
  const error = (body as { error?: { code?: string; message?: string; hint?: string | null } } | undefined)?.error
  return new ApiError(
    error?.code ?? 'bad_answer',
    error?.message ?? t('error.status', { status: `${response.status} ${response.statusText}`.trim() }),
    error?.hint ?? null,
    response.status,
  )
}

const get = <T>(path: string, query: Query = {}, signal?: AbortSignal) =>
  request<T>(path + toQueryString(query), signal ? { signal } : {})

const user = (id: string) => `/users/${encodeURIComponent(id)}`

/** Every route of the API the page uses. Each throws `ApiError`, or the abort of its own signal. */
export const api = {
  about: (signal?: AbortSignal) => get<About>('/about', {}, signal),
  vocabulary: (signal?: AbortSignal) => get<Vocabulary>('/genres', {}, signal),
  onboarding: (k: number, signal?: AbortSignal) =>
    get<{ items: AnimeCard[] }>('/onboarding', { k }, signal).then((body) => body.items),

  users: (limit: number, after?: string, signal?: AbortSignal) => get<UserPage>('/users', { limit, after }, signal),
  user: (id: string, signal?: AbortSignal) => get<UserSummary>(user(id), {}, signal),
  history: (id: string, limit: number, signal?: AbortSignal) =>
    get<{ items: HistoryItem[] }>(`${user(id)}/history`, { limit }, signal).then((body) => body.items),
  similarUsers: (id: string, k: number, signal?: AbortSignal) =>
    get<{ items: SimilarUser[] }>(`${user(id)}/similar-users`, { k }, signal).then((body) => body.items),
  recommendations: (id: string, k: number, filters: ListFilters, signal?: AbortSignal) =>
    get<RecommendationList>(`${user(id)}/recommendations`, { k, ...filters }, signal),

  anime: (id: number, signal?: AbortSignal) => get<AnimeDetail>(`/anime/${id}`, {}, signal),
  similarAnime: (id: number, k: number, sameFranchise: boolean, signal?: AbortSignal) =>
    get<{ items: SimilarAnime[] }>(`/anime/${id}/similar`, { k, same_franchise: sameFranchise }, signal).then(
      (body) => body.items,
    ),
  search: (query: string, limit: number, signal?: AbortSignal) =>
    get<{ items: SearchHit[] }>('/anime', { query, limit }, signal).then((body) => body.items),

  interact: (interaction: Interaction) =>
    request<Accepted>('/interactions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(interaction),
      keepalive: true,
    }),

  /** Address of the user's event stream (Server-Sent Events). */
  eventsUrl: (id: string) => `${BASE}${user(id)}/events`,
}
