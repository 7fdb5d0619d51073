import { reactive } from 'vue'

import type { InteractionKind, Opinion } from '@/api/types'

/** Opinions of a title given on this page: which kinds of action hold, and with which value. */
type Held = Partial<Record<InteractionKind, number | string | true | undefined>>

const held = reactive(new Map<string, Held>())
const key = (userId: string, animeId: number) => `${userId}\u001f${animeId}`

/** Remember an action that was accepted. Like and dislike take each other's place. */
export function setOpinion(userId: string, animeId: number, kind: InteractionKind, value: number | string | undefined, undo: boolean) {
  const before = held.get(key(userId, animeId))
  const cleared = kind === 'like' || kind === 'dislike' ? { like: undefined, dislike: undefined } : {}
  held.set(key(userId, animeId), { ...before, ...cleared, [kind]: undo ? undefined : (value ?? true) })
}

const SETTLING = ['like', 'dislike', 'seen', 'dismiss', 'rate'] as const

/** True if the user gave an opinion on this page that takes a title off every list. */
export const isSettled = (userId: string | null, animeId: number): boolean => {
  const opinion = opinionOf(userId, animeId)
  return SETTLING.some((kind) => opinion[kind] !== undefined)
}

/** Count the titles that the user settled on this page, as far as it knows. */
export function settledCount(userId: string): number {
  const mine = key(userId, 0).slice(0, -1)
  return [...held].filter(([name, opinion]) => name.startsWith(mine) && SETTLING.some((kind) => opinion[kind] !== undefined)).length
}

/** Take over what the service knows a user to hold of a title. */
export function loadOpinion(userId: string, { anime_id: animeId, rating, status, reaction, seen, dismissed }: Opinion) {
  held.set(key(userId, animeId), {
    rate: rating ?? undefined,
    status: status ?? undefined,
    like: reaction === 1 ? true : undefined,
    dislike: reaction === -1 ? true : undefined,
    seen: seen || undefined,
    dismiss: dismissed || undefined,
  })
}

/** What this page knows a user to hold of a title. */
export const opinionOf = (userId: string | null, animeId: number): Held =>
  (userId === null ? undefined : held.get(key(userId, animeId))) ?? {}
