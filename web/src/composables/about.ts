import { shallowRef, type ShallowRef } from 'vue'

import { api } from '@/api/client'
import type { About } from '@/api/types'

const found = shallowRef<About | null>(null)
let asked = false

/** What the service is and can do; null until it has answered. Asked for once a visit. */
export function useAbout(): Readonly<ShallowRef<About | null>> {
  if (!asked) {
    asked = true
    api.about().then(
      (about) => (found.value = about),
      () => (asked = false),
    )
  }
  return found
}
