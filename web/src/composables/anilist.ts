import { shallowRef } from 'vue'

import { ApiError } from '@/api/errors'
import { t, textOr, useArea } from '@/i18n'

import { about, useAbout } from './about'
import { type Change, changes, connection, drop, keep } from './anilistOutbox'
import { notifyError } from './toasts'
import { uniqueId } from './uniqueId'

/** Load the texts of what has to do with AniList. */
export const loadTexts = () =>
  useArea('anilist', {
    en: () => import('@/locales/anilist.en.json'),
    ja: () => import('@/locales/anilist.ja.json'),
    zh: () => import('@/locales/anilist.zh.json'),
  })

/** Why AniList did not do what was asked: the sign-in has ended, it does not answer, or it refused this request. */
export class AniListError extends Error {
  constructor(
    readonly kind: 'ended' | 'away' | 'refused',
    message: string,
    readonly waitMs = 0,
  ) {
    super(message)
  }
}

const TIMEOUT_MS = 20_000

/** Send a GraphQL request with the reader's token. Throws AniListError. */
async function ask<T>(query: string, variables: object, token: string): Promise<T> {
  const address = about.value?.anilist?.api_url
  if (!address) throw new AniListError('away', t('anilist.off'))
  let response: Response
  let body: { data?: T | null; errors?: { message?: string; status?: number }[] }
  try {
    response = await fetch(address, {
      method: 'POST',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status === 429 || response.status >= 500) {
      const seconds = Number(response.headers.get('retry-after'))
      throw new AniListError('away', t('anilist.away'), seconds > 0 ? seconds * 1000 : 0)
    }
    body = (await response.json()) as typeof body
  } catch (thrown) {
    throw thrown instanceof AniListError ? thrown : new AniListError('away', t('anilist.away'))
  }
  const problem = body.errors?.[0]?.message ?? ''
  if (response.status === 401 || /invalid token|unauthorized/i.test(problem)) throw new AniListError('ended', t('anilist.ended'))
  if (response.status === 404) throw new AniListError('refused', t('anilist.unknown'))
  if (!response.ok || body.errors?.length || !body.data) throw new AniListError('refused', problem || t('anilist.refused'))
  return body.data
}

interface Entry {
  id: number
  status: string | null
  score: number
  progress: number
}

const STATUS: Readonly<Record<string, string>> = { planned: 'PLANNING', watching: 'CURRENT', completed: 'COMPLETED', on_hold: 'PAUSED', dropped: 'DROPPED' }
const ENTRY = 'id status score(format: POINT_100) progress'
const FIND = `query ($mal: Int) { Media(idMal: $mal, type: ANIME) { id mediaListEntry { ${ENTRY} } } }`
const SAVE = `mutation ($media: Int, $status: MediaListStatus, $score: Int) { SaveMediaListEntry(mediaId: $media, status: $status, scoreRaw: $score) { ${ENTRY} } }`
const DELETE = 'mutation ($entry: Int) { DeleteMediaListEntry(id: $entry) { deleted } }'

/** What AniList had of a title before the first change of this kind, and what the last one made of it. */
interface Memory {
  before: Entry | null
  after: Entry
}
const memoryKey = ({ owner, animeId, kind }: Change) => `gars.anilist.before.${owner}.${animeId}.${kind}`
function recall(change: Change): Memory | null {
  try {
    return JSON.parse(localStorage.getItem(memoryKey(change)) ?? 'null') as Memory | null
  } catch {
    return null
  }
}
const isSame = (a: Entry, b: Entry) => a.status === b.status && a.score === b.score && a.progress === b.progress

/**
 * Write one change. A planned title that is on the list already keeps its status there. What is taken back becomes what it
 * was, unless it was changed at AniList in between; an entry is deleted only if this browser made it.
 */
async function write(change: Change, token: string) {
  const { Media: media } = await ask<{ Media: { id: number; mediaListEntry: Entry | null } }>(FIND, { mal: change.animeId }, token)
  const now = media.mediaListEntry
  const memory = recall(change)
  const save = async (fields: object) => {
    const { SaveMediaListEntry: after } = await ask<{ SaveMediaListEntry: Entry }>(SAVE, { media: media.id, ...fields }, token)
    localStorage.setItem(memoryKey(change), JSON.stringify({ before: memory ? memory.before : now, after } satisfies Memory))
  }
  if (change.value === null) {
    if (!memory || !now) return
    const { before, after } = memory
    const field = change.kind === 'rate' ? 'score' : 'status'
    if (now[field] !== after[field]) throw new AniListError('refused', t('anilist.changed'))
    if (before === null && isSame(now, after)) await ask(DELETE, { entry: now.id }, token)
    else if (field === 'score') await save({ score: before?.score ?? 0 })
    else if (before) await save({ status: before.status })
    else throw new AniListError('refused', t('anilist.changed'))
    localStorage.removeItem(memoryKey(change))
  } else if (change.kind === 'rate') {
    await save({ score: Number(change.value) * 10, ...(now ? {} : { status: 'COMPLETED' }) })
  } else {
    const status = STATUS[change.value]
    if (status !== undefined && !(status === 'PLANNING' && now) && now?.status !== status) await save({ status })
  }
}

export type SendState = 'idle' | 'sending' | 'ended' | 'away'
/** What became of the last attempt to send. */
export const sendState = shallowRef<SendState>('idle')

const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 15 * 60_000
let wait = FIRST_WAIT_MS
let timer: ReturnType<typeof setTimeout> | undefined
const notified = new Set<string>()

/** Notify the reader, once a visit. */
function notifyOnce(kind: 'ended' | 'away', error: AniListError) {
  sendState.value = kind
  if (notified.has(kind)) return
  notified.add(kind)
  const hint = t('anilist.waiting', { n: waiting().length })
  notifyError(new ApiError(`anilist_${kind}`, error.message, hint, 0), kind === 'ended' ? { label: t('anilist.signIn'), run: signIn } : null)
}

/** Notify the reader that the browser could not store a change, so that it is lost. */
export async function notifyUnkept(title: string) {
  await loadTexts()
  notifyError(new ApiError('anilist_unkept', t('anilist.notWritten', { title }), t('anilist.unkept'), 0))
}

const waiting = () => changes().filter(({ owner, refused }) => owner === connection.value?.id && !refused)

async function sendAll() {
  for (let next = waiting()[0]; next; next = waiting()[0]) {
    const to = connection.value
    if (!to) return
    sendState.value = 'sending'
    try {
      if (to.endsAt <= Date.now()) throw new AniListError('ended', t('anilist.ended'))
      await write(next, to.token)
      drop(next)
      wait = FIRST_WAIT_MS
    } catch (thrown) {
      const error = thrown instanceof AniListError ? thrown : new AniListError('refused', String(thrown))
      if (error.kind === 'refused') {
        keep({ ...next, refused: error.message })
        notifyError(new ApiError('anilist_refused', t('anilist.notWritten', { title: next.title }), error.message, 0))
        continue
      }
      notifyOnce(error.kind, error)
      if (error.kind === 'away') {
        timer = setTimeout(() => void flush(), Math.max(wait, error.waitMs))
        wait = Math.min(LONGEST_WAIT_MS, 2 * wait)
      }
      return
    }
  }
  sendState.value = 'idle'
}

let running: Promise<void> | null = null

/** Send the changes that wait, in order, one tab at a time. A change goes when AniList has it, or is marked as refused. */
export function flush(): Promise<void> {
  clearTimeout(timer)
  running ??= (async () => {
    await Promise.all([loadTexts(), whenKnown()])
    // Without a secure context there are no locks; then two tabs may send the same change, which changes nothing.
    if ('locks' in navigator) await navigator.locks.request('gars.anilist', { ifAvailable: true }, async (lock) => lock && sendAll())
    else await sendAll()
  })().finally(() => (running = null))
  return running
}
window.addEventListener('online', () => void flush())

/** Resolves once the service returned AniList's address, or did not answer. */
async function whenKnown() {
  const known = useAbout()
  for (let tries = 0; known.value === null && tries < 50; tries++) await new Promise((resolve) => setTimeout(resolve, 100))
}

/** Try a refused change again, or give it up. */
export function retry(change: Change) {
  const again = { ...change }
  delete again.refused
  keep(again)
  void flush()
}

const PENDING = 'gars.anilist.signing-in'
const PATIENCE_MS = 15 * 60_000

/** Go to AniList, which sends the reader back to `/anilist` with a token in the fragment of the address. */
export function signIn() {
  const to = about.value?.anilist
  if (!to) return
  const state = uniqueId()
  sessionStorage.setItem(PENDING, JSON.stringify({ state, at: Date.now(), back: location.pathname + location.search }))
  location.assign(`${to.authorize_url}?${new URLSearchParams({ client_id: to.client_id, response_type: 'token', state }).toString()}`)
}

/** Forget the token. Changes that wait stay until the same AniList user signs in again. */
export function signOut() {
  connection.value = null
  sendState.value = 'idle'
}

/**
 * Take the token out of the fragment that AniList sent the reader back with. Returns where they came from. Throws
 * AniListError: they refused, the address is not the answer to a sign-in begun in this tab, or AniList does not know the token.
 */
export async function finishSignIn(fragment: string): Promise<string> {
  await Promise.all([loadTexts(), whenKnown()])
  const given = new URLSearchParams(fragment.replace(/^#/, ''))
  const begun = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null') as { state: string; at: number; back: string } | null
  sessionStorage.removeItem(PENDING)
  // Without this check a link could sign the reader in as somebody else, who would then see what they watch.
  if (!begun || Date.now() - begun.at > PATIENCE_MS || (given.get('state') ?? begun.state) !== begun.state) throw new AniListError('refused', t('anilist.notBegun'))
  const token = given.get('access_token')
  if (!token) throw new AniListError('refused', textOr(`anilist.${given.get('error') ?? ''}`, t('anilist.noToken')))
  const { Viewer: viewer } = await ask<{ Viewer: { id: number; name: string } }>('query { Viewer { id name } }', {}, token)
  const seconds = Number(given.get('expires_in')) || 365 * 24 * 3600
  connection.value = { token, endsAt: Date.now() + seconds * 1000, id: viewer.id, name: viewer.name }
  notified.clear()
  void flush()
  return begun.back
}
