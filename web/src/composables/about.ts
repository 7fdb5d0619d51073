import { shallowRef, type ShallowRef } from 'vue'

import { api } from '@/api/client'
import type { About } from '@/api/types'

const found = shallowRef<About | null>(null)
let asked = false

/** What the service is and can do, as far as it was asked for. */
export const about: Readonly<ShallowRef<About | null>> = found

/** Ask for `about` once a visit; null until the service has answered. */
export function useAbout(): Readonly<ShallowRef<About | null>> {
  if (!asked) {
    asked = true
    api.about().then(
      (now) => (found.value = now),
      () => (asked = false),
    )
  }
  return found
}
