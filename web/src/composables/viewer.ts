import { computed, watch } from 'vue'

import { stored } from './stored'
import { uniqueId } from './uniqueId'

/** How many liked titles make a first list. */
export const PICKS_NEEDED = 3

interface Visitor {
  id: string
  /** Titles liked so far; enough of them, and the visitor may have a list. */
  picks: number[]
  /** True once they asked for their list. */
  started: boolean
  /** True once a list of theirs was brought in: no picks are missing then. */
  imported: boolean
}

function parseVisitor(value: unknown): Visitor | null {
  const { id, picks, started, imported } = (value ?? {}) as Partial<Visitor>
  if (typeof id !== 'string' || !Array.isArray(picks)) return null
  return { id, picks: picks.filter((pick) => typeof pick === 'number'), started: started === true, imported: imported === true }
}

/** The newcomer this browser made, if any; kept while looking as somebody else. */
export const visitor = stored<Visitor | null>('gars.visitor', null, parseVisitor)

/** The data set's user this browser looks as, if any. */
const member = stored<string | null>('gars.member', null, (value) => (typeof value === 'string' ? value : null))

/** Whose list is shown; null until somebody is chosen. */
export const viewerId = computed(() => member.value ?? (visitor.value?.started ? visitor.value.id : null))

/** True if the viewer is one of the data set's users. */
export const isMember = computed(() => member.value !== null)

/** Whom an action counts for: the viewer, or the newcomer who has not asked for a list yet. */
export const actorId = computed(() => member.value ?? visitor.value?.id ?? null)

/** The actor's id; makes a newcomer if there is none. */
export function ensureActor(): string {
  if (actorId.value !== null) return actorId.value
  visitor.value = { id: `visitor-${uniqueId()}`, picks: [], started: false, imported: false }
  return visitor.value.id
}

/** Look as one of the data set's users. */
export function selectViewer(userId: string) {
  member.value = userId
}

/** Back to the newcomer's own list, or to the first page if there is none. */
export function selectVisitor() {
  member.value = null
}

/** Show the newcomer their list. */
export function startVisitor() {
  ensureActor()
  if (visitor.value) visitor.value.started = true
  member.value = null
}

/** Forget the newcomer in this browser: the next one gets a new id. */
export function resetVisitor() {
  visitor.value = null
  member.value = null
}

/** Note that a list was brought in for the visitor. */
export function markImported(userId: string) {
  if (visitor.value?.id === userId) visitor.value.imported = true
}

/** Keep count of what a newcomer likes. */
export function countPick(userId: string, animeId: number, liked: boolean) {
  if (visitor.value?.id !== userId) return
  const others = visitor.value.picks.filter((pick) => pick !== animeId)
  visitor.value.picks = liked ? [...others, animeId] : others
}

/** Run `act` whenever somebody else is looked as, and once now. */
export function onViewer(act: (userId: string | null) => void) {
  watch(viewerId, act, { immediate: true })
}
