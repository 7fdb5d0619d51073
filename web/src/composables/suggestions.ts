import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import { api } from '@/api/client'
import type { SearchHit } from '@/api/types'

import { useResource } from './resource'

/** No title is longer. */
const LONGEST = 200

/** Titles that match what is being typed, asked for once the typing pauses. */
export function useSearch(text: Readonly<Ref<string>>, limit: number, pauseMs = 120) {
  const query = computed(() => text.value.trim().slice(0, LONGEST))
  const asked = ref('')
  /** Whether there is most likely no title of that name. */
  const poor = ref(false)
  const hits = useResource<SearchHit[]>(async (signal) => {
    const found = await api.search(asked.value, limit, signal)
    poor.value = found.poor
    return found.items
  })
  let timer: ReturnType<typeof setTimeout> | undefined

  watch(
    query,
    (now, before) => {
      clearTimeout(timer)
      if (now === '') return
      timer = setTimeout(
        () => {
          asked.value = now
          // What is shown stays until the next answer, so that the list does not flicker letter by letter.
          void (hits.data.value === null ? hits.load() : hits.refresh())
        },
        before === undefined ? 0 : pauseMs,
      )
    },
    { immediate: true },
  )
  onScopeDispose(() => clearTimeout(timer))

  /** `idle` until something is typed. */
  const state = computed(() => (query.value === '' ? 'idle' : hits.state.value))
  /** Whether what is shown answers what is typed. */
  const settled = computed(() => asked.value === query.value && !hits.refreshing.value && hits.state.value !== 'loading')
  return { ...hits, poor, query, state, settled }
}
