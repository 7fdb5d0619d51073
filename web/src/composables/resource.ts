import { computed, onScopeDispose, shallowRef, type ComputedRef, type ShallowRef } from 'vue'

import { type ApiError, isAbort, toApiError } from '@/api/errors'

export type ResourceState = 'loading' | 'ready' | 'empty' | 'error'

export interface Resource<T> {
  state: ComputedRef<ResourceState>
  data: Readonly<ShallowRef<T | null>>
  error: Readonly<ShallowRef<ApiError | null>>
  /** True while newer data is on its way and the old is still shown. */
  refreshing: ComputedRef<boolean>
  /** Load from nothing: shows the loading state. */
  load: () => Promise<void>
  /** Load again behind what is shown; a failure leaves it there and sets `error`. */
  refresh: () => Promise<void>
  /** Cancel what is on its way; what is shown stays. */
  cancel: () => void
}

const nothing = (data: unknown) => Array.isArray(data) && data.length === 0

/**
 * Something fetched, in one of four states. The latest call wins: an older one is cancelled, and its answer, should it
 * still arrive, dropped. What failed is asked for again once the network is back. Everything is cancelled with the scope.
 */
export function useResource<T>(
  fetcher: (signal: AbortSignal) => Promise<T>,
  isEmpty: (data: T) => boolean = nothing,
): Resource<T> {
  const data = shallowRef<T | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const pending = shallowRef<AbortController | null>(null)

  const state = computed<ResourceState>(() => {
    if (data.value !== null) return isEmpty(data.value) ? 'empty' : 'ready'
    return error.value ? 'error' : 'loading'
  })

  async function refresh() {
    pending.value?.abort()
    const controller = new AbortController()
    pending.value = controller
    try {
      const fetched = await fetcher(controller.signal)
      if (pending.value !== controller) return
      data.value = fetched
      error.value = null
    } catch (thrown) {
      if (pending.value !== controller || isAbort(thrown)) return
      error.value = toApiError(thrown)
    }
    pending.value = null
  }

  async function load() {
    data.value = null
    error.value = null
    await refresh()
  }

  function cancel() {
    pending.value?.abort()
    pending.value = null
  }

  const again = () => void (error.value && refresh())
  window.addEventListener('online', again)
  onScopeDispose(() => {
    window.removeEventListener('online', again)
    cancel()
  })
  return { state, data, error, refreshing: computed(() => pending.value !== null && data.value !== null), load, refresh, cancel }
}
