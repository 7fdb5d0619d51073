import { shallowRef, type ShallowRef } from 'vue'

import { api } from '@/api/client'
import type { About } from '@/api/types'

const found = shallowRef<About | null>(null)
let request: Promise<void> | null = null

/** What the service is and can do, once loaded. */
export const about: Readonly<ShallowRef<About | null>> = found

/** Ask for `about` once a visit, again after a failure. Resolves when the service has answered or could not be reached. */
export function loadAbout(): Promise<void> {
  request ??= api.about().then(
    (now) => void (found.value = now),
    () => void (request = null),
  )
  return request
}

/** `about`, asked for if it was not; null until the service has answered. */
export function useAbout(): Readonly<ShallowRef<About | null>> {
  void loadAbout()
  return found
}
