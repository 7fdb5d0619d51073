import { shallowRef, type ShallowRef } from 'vue'

import type { AnimeCard, InteractionKind, Recommendation } from '@/api/types'

import type { compareLists, ListChange, Move } from './listMoves'

/** One action sent from this page, waiting for the list it will change. */
interface Sent {
  eventId: string
  userId: string
  kind: InteractionKind
  undo: boolean
  anime: AnimeCard
}

/** One update of the loop: an action, and the list it made. */
export interface ListUpdate {
  id: number
  /** What was done; null if it came from another page of the same user. */
  cause: { kind: InteractionKind; undo: boolean; anime: AnimeCard } | null
  /** From the action to the new list on the screen. */
  ms: number | null
  change: ListChange
}

const MOST = 30

/** The latest updates of click → features → new list, newest first, with how long each took. */
export class UpdateLog {
  readonly #updates = shallowRef<readonly ListUpdate[]>([])
  readonly #waiting = new Map<string, Sent & { at: number }>()
  #lastId = 0

  constructor(readonly now: () => number = () => performance.now()) {}

  readonly updates: Readonly<ShallowRef<readonly ListUpdate[]>> = this.#updates

  sent(sent: Sent) {
    this.#waiting.set(sent.eventId, { ...sent, at: this.now() })
  }

  failed(eventId: string) {
    this.#waiting.delete(eventId)
  }

  /** A new list of `userId` is on the screen. Everything sent before it was asked for is answered by it; `seenSince`: when the list came into view. */
  shown(userId: string, askedAt: number, change: ReturnType<typeof compareLists>, seenSince = 0) {
    const answered = [...this.#waiting.values()].filter((sent) => sent.userId === userId && sent.at <= askedAt)
    for (const { eventId } of answered) this.#waiting.delete(eventId)
    const cause = answered.at(-1)
    this.#lastId += 1
    const update: ListUpdate = {
      id: this.#lastId,
      cause: cause ? { kind: cause.kind, undo: cause.undo, anime: cause.anime } : null,
      ms: cause ? Math.round(this.now() - Math.max(cause.at, seenSince)) : null,
      change,
    }
    this.#updates.value = [update, ...this.#updates.value].slice(0, MOST)
  }

  clear() {
    this.#waiting.clear()
    this.#updates.value = []
  }
}

/** Return true if a title came or rose in the latest update because of what was just done: one of its reasons names it. */
export function movedBecause(update: ListUpdate | undefined, item: Recommendation, move: Move | undefined): boolean {
  const cause = update?.cause
  if (!cause || !move || move.kind === 'down') return false
  return item.reasons.some((reason) => reason.anime_id === cause.anime.anime_id && reason.kind !== 'despite')
}

export const updateLog = new UpdateLog()
