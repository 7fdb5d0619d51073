import { shallowRef, type ShallowRef } from 'vue'

import { api } from '@/api/client'
import type { About } from '@/api/types'

const found = shallowRef<About | null>(null)
let requested = false

/** What the service is and can do, once loaded. */
export const about: Readonly<ShallowRef<About | null>> = found

/** Ask for `about` once a visit; null until the service has answered. */
export function useAbout(): Readonly<ShallowRef<About | null>> {
  if (!requested) {
    requested = true
    api.about().then(
      (now) => (found.value = now),
      () => (requested = false),
    )
  }
  return found
}
