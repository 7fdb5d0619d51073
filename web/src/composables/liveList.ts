import { computed, nextTick, ref, shallowRef, watch, type Ref } from 'vue'

import { api } from '@/api/client'
import type { ListFilters, RecommendationList } from '@/api/types'
import { t } from '@/i18n'

import type { LiveState } from './live'
import { compareLists, summarizeChange, type Move } from './listMoves'
import type { UpdateLog } from './updateLog'
import { preferences, withPreferences } from './preferences'
import { useResource } from './resource'

/** One page of the list: with the wide first card, whole rows in two, three, four and six columns. The shelves are not far below. */
export const PAGE = 11
const MOST = 100
/** Up to so many titles the list comes with what the ranker saw of each. */
const EXPLAINED = 36

/**
 * The list "For you" of a user: loaded, then asked for again whenever the user's state is newer than the list, and
 * compared with the one before, so that each title knows how it moved.
 */
export function useLiveList(
  userId: Readonly<Ref<string | null>>,
  filters: Readonly<Ref<ListFilters>>,
  live: Pick<LiveState, 'version' | 'connection'>,
  log: UpdateLog,
  /** True while somebody looks at the numbers behind the list. */
  explained: Readonly<Ref<boolean>> = ref(false),
  /** True while another page covers the list: it is not asked for again until it can be seen moving. */
  covered: Readonly<Ref<boolean>> = ref(false),
) {
  const size = ref(PAGE)
  const moves = shallowRef<ReadonlyMap<number, Move>>(new Map())
  const announcement = ref('')
  // When the list was last asked for, and the newest version known then: an answer that lags behind is not asked for
  // again and again.
  let askedAt = 0
  let askedFor = 0
  // Since when the list can be seen: a change is timed from there if the action was before it.
  let seenSince = 0
  watch(covered, (now) => (seenSince = now ? seenSince : log.now()), { flush: 'sync' })

  const list = useResource<RecommendationList>(
    (signal) => {
      askedAt = log.now()
      askedFor = live.version.value
      // The features are for "What changed" to compare, and take ten times the bytes.
      const ask = explained.value && size.value <= EXPLAINED ? api.explained : api.recommendations
      return ask(userId.value ?? '', size.value, withPreferences(filters.value), signal)
    },
    ({ items }) => items.length === 0,
  )

  watch(
    [userId, filters, preferences],
    ([id], [before]) => {
      size.value = PAGE
      moves.value = new Map()
      announcement.value = ''
      if (id !== before) log.clear()
      if (id !== null) void list.load()
    },
    { immediate: true },
  )

  watch(explained, (now) => now && list.data.value && void list.refresh())

  // A list on its way when another page covers this one would move unseen: it is cancelled, and asked for on the way back.
  let interrupted = false
  watch([live.version, list.data, covered], ([version, data, isCovered]) => {
    if (!data) return
    if (isCovered) {
      interrupted ||= list.refreshing.value
      if (interrupted) list.cancel()
    } else if (interrupted || (version > data.version && version > askedFor)) {
      interrupted = false
      void list.refresh()
    }
  })

  // Back online: requests that failed are sent again.
  watch(live.connection, (connection) => {
    if (connection === 'live' && list.error.value) void list.refresh()
  })

  watch(list.data, (after, before) => {
    // Another user, other filters or a longer page is a different list, not a list that moved.
    if (!after || before?.user_id !== after.user_id || before.version === after.version) return
    const asked = askedAt
    const change = compareLists(before.items, after.items)
    moves.value = change.moves
    announcement.value = t('live.updated', { change: summarizeChange(change) })
    void nextTick(() => log.shown(after.user_id, asked, change, seenSince))
  })

  /** Make the list longer. */
  async function more() {
    size.value = Math.min(MOST, size.value + 2 * (PAGE + 1))
    await list.refresh()
  }

  const canGrow = computed(() => size.value < MOST && (list.data.value?.items.length ?? 0) >= size.value)
  return { ...list, moves, announcement, more, canGrow }
}
