import { shallowRef } from 'vue'

import { stored } from './stored'
import { uniqueId } from './uniqueId'
import { visitor } from './viewer'

/** Who is signed in at AniList, with the token of that. It stays in this browser: GARS never gets it. */
export interface Connection {
  token: string
  /** Milliseconds since 1970. */
  endsAt: number
  id: number
  name: string
}

/** A change of the reader's own list that AniList does not have yet. */
export interface Change {
  id: string
  /** The AniList user it is of. */
  owner: number
  at: number
  animeId: number
  title: string
  kind: 'status' | 'rate'
  /** A status of GARS, a rating from 1 to 10, or null to take the change before it back. */
  value: string | number | null
  /** AniList's reason, where it refused the change. */
  refused?: string
}

function parse(value: unknown): Connection | null {
  const { token, endsAt, id, name } = (value ?? {}) as Partial<Connection>
  return typeof token === 'string' && typeof endsAt === 'number' && typeof id === 'number' && typeof name === 'string' ? { token, endsAt, id, name } : null
}

export const connection = stored<Connection | null>('gars.anilist', null, parse)

// A key for each change: two tabs that write at once take nothing from each other.
const PREFIX = 'gars.anilist.change.'

/** Return the changes that wait or were refused, oldest first. */
export function changes(): Change[] {
  const found: Change[] = []
  try {
    for (let at = 0; at < localStorage.length; at++) {
      const key = localStorage.key(at)
      if (key?.startsWith(PREFIX)) found.push(JSON.parse(localStorage.getItem(key) ?? '') as Change)
    }
  } catch {
    // Storage is refused, or a value is not ours.
  }
  return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
}

/** The same for templates, as of the last change in any tab. */
export const outbox = shallowRef<readonly Change[]>(changes())
const refresh = () => (outbox.value = changes())
window.addEventListener('storage', (event) => (event.key === null || event.key.startsWith(PREFIX)) && refresh())

/** Keep a change until AniList has it. Throws where the browser keeps nothing. */
export function keep(change: Change) {
  localStorage.setItem(PREFIX + change.id, JSON.stringify(change))
  refresh()
}

/** Drop a change that AniList has, or that the reader gave up. */
export function drop(change: Change) {
  localStorage.removeItem(PREFIX + change.id)
  refresh()
}

let lastAt = 0

/** Note a status or a rating of the reader's own list for AniList, if they are signed in there, and send it. */
export function noteForAniList(userId: string, animeId: number, title: string, kind: string, value: string | number | undefined, undo: boolean) {
  const to = connection.value
  if (!to || userId !== visitor.value?.id || (kind !== 'status' && kind !== 'rate')) return
  lastAt = Math.max(Date.now(), lastAt + 1)
  try {
    keep({ id: uniqueId(), owner: to.id, at: lastAt, animeId, title, kind, value: undo ? null : (value ?? null) })
  } catch {
    void import('./anilist').then(({ notifyUnkept }) => notifyUnkept(title), () => undefined)
    return
  }
  sendToAniList()
}

/** Send what waits. Where the code does not load it is sent on the next visit. */
export function sendToAniList() {
  if (connection.value && outbox.value.some(({ refused }) => !refused)) void import('./anilist').then(({ flush }) => flush(), () => undefined)
}
