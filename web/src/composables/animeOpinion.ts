import { computed, watch, type Ref } from 'vue'

import { api } from '@/api/client'
import type { InteractionKind, Opinion } from '@/api/types'
import { t, textOr } from '@/i18n'

import { loadOpinion } from './opinions'
import { useResource } from './resource'
import { actorId } from './viewer'
import { viewerLive } from './viewerLive'

/** One opinion of a title, and the kind of event that undoes it. */
export interface OpinionLabel {
  kind: InteractionKind
  text: string
}

/** The opinions of a title, in words. */
export function opinionLabels({ rating, reaction, status, seen, dismissed }: Omit<Opinion, 'anime_id'>): OpinionLabel[] {
  const all: [InteractionKind, string | null][] = [
    ['rate', rating === null ? null : t('held.rated', { n: rating })],
    ['like', reaction === 1 ? t('held.liked') : null],
    ['dislike', reaction === -1 ? t('held.disliked') : null],
    ['dismiss', dismissed ? t('held.hidden') : null],
    ['status', status === null ? null : textOr(`status.${status}`, status)],
    ['seen', seen ? t('opinion.seen') : null],
  ]
  return all.flatMap(([kind, text]) => (text === null ? [] : [{ kind, text }]))
}

/** True if an opinion tells that the title was watched. */
export const isWatched = ({ rating, reaction, status, seen }: Omit<Opinion, 'anime_id'>): boolean =>
  rating !== null || reaction !== null || seen || (status !== null && status !== 'planned')

/** What the viewer holds of a title and its franchise, and what those like them thought; followed as it changes. */
export function useAnimeOpinion(animeId: Readonly<Ref<number>>) {
  const { data, state, load, refresh } = useResource((signal) => api.animeFor(actorId.value ?? '', animeId.value, signal))
  watch([actorId, animeId], ([id]) => void (id !== null && load()), { immediate: true })
  watch(viewerLive.version, (version) => void (data.value && version > data.value.version && refresh()))
  // The buttons show opinions from before this page was opened, too.
  watch(data, (now) => now?.opinions.forEach((opinion) => loadOpinion(now.user_id, opinion)))

  const current = computed(() => (actorId.value !== null && data.value?.user_id === actorId.value ? data.value : null))
  const byId = computed(() => new Map(current.value?.opinions.map((opinion) => [opinion.anime_id, opinion])))
  return {
    /** Null without a user, or before it is loaded. */
    current,
    /** True while it is asked for the first time. */
    pending: computed(() => actorId.value !== null && current.value === null && state.value === 'loading'),
    own: computed(() => {
      const opinion = byId.value.get(animeId.value)
      return opinion ? opinionLabels(opinion) : []
    }),
    watched: (id: number) => {
      const opinion = byId.value.get(id)
      return opinion !== undefined && isWatched(opinion)
    },
  }
}
