import { reactive, readonly } from 'vue'

import { api } from '@/api/client'
import { toApiError } from '@/api/errors'
import type { AnimeCard, InteractionKind } from '@/api/types'
import { t, textOr } from '@/i18n'

import { noteForAniList } from './anilistOutbox'
import { pollVersion } from './pollVersion'
import { updateLog } from './updateLog'
import { setOpinion } from './opinions'
import { shownTitle } from './titles'
import { notifyDone, notifyError } from './toasts'
import { uniqueId } from './uniqueId'
import { actorId, countPick, ensureActor } from './viewer'
import { viewerLive } from './viewerLive'

export interface Action {
  anime: AnimeCard
  kind: InteractionKind
  value?: number | string
  /** The list it was chosen from, so that the click can be joined to what was shown. */
  requestId?: string | undefined
}

const busy = reactive(new Map<number, InteractionKind>())

/** Titles with an action under way: id → kind. */
export const busyTitles = readonly(busy)

/** Describe an action, for the notice that offers to undo it. */
function noticeOf(kind: Exclude<InteractionKind, 'click'>, title: string, value: Action['value']): string {
  if (kind === 'rate') return t('notice.rate', { title, value: value ?? '' })
  if (kind === 'status') return t('notice.status', { title, status: textOr(`status.${value}`, String(value)) })
  return t(`notice.${kind}`, { title })
}

/** Send one action. Resolves to false if it failed; the reader has been notified then. */
export async function send(action: Action, undo = false): Promise<boolean> {
  const userId = ensureActor()
  const eventId = uniqueId()
  const { anime, kind } = action
  updateLog.sent({ eventId, userId, kind, undo, anime })
  busy.set(anime.anime_id, kind)
  try {
    const accepted = await api.interact({
      user_id: userId,
      anime_id: anime.anime_id,
      kind,
      ...(action.value === undefined || undo ? {} : { value: action.value }),
      ...(undo ? { undo } : {}),
      ...(action.requestId ? { request_id: action.requestId } : {}),
      event_id: eventId,
    })
    setOpinion(userId, anime.anime_id, kind, action.value, undo)
    noteForAniList(userId, anime.anime_id, shownTitle(anime).text, kind, action.value, undo)
    if (kind === 'like') countPick(userId, anime.anime_id, !undo)
    const version = accepted.versions[userId]
    if (version !== undefined) viewerLive.raiseVersion(userId, version)
    else void pollVersion(userId)
    return true
  } catch (thrown) {
    updateLog.failed(eventId)
    const retry = { label: t('app.retry'), run: () => act(action, undo) }
    notifyError(toApiError(thrown), kind === 'click' ? null : retry)
    return false
  } finally {
    busy.delete(anime.anime_id)
  }
}

/** Send one action, show a notice, and offer to undo it. */
export async function act(action: Action, undo = false) {
  const done = await send(action, undo)
  if (!done || action.kind === 'click') return
  const title = shownTitle(action.anime).text
  if (undo) notifyDone(t('notice.undone', { title }))
  else notifyDone(noticeOf(action.kind, title, action.value), { label: t('action.undo'), run: () => act(action, true) })
}

/** Opening a title is a click on it, if there is anybody it counts for. */
export async function opened(anime: AnimeCard, requestId?: string) {
  if (actorId.value !== null) await send({ anime, kind: 'click', requestId })
}
