import { api } from '@/api/client'

import { viewerLive } from './viewerLive'

/** Pauses before each question: a feature job takes tens of milliseconds, and seconds when it has much to do. */
const PAUSES_MS = [300, 1000, 3000, 10_000]

/**
 * Ask for the version of a user's state for a while. On a cluster an accepted action has no version yet, the event
 * stream sends it; where the stream is broken it has to be polled.
 */
export async function pollVersion(userId: string): Promise<void> {
  for (const pause of PAUSES_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause))
    if (viewerLive.connection.value === 'live') return
    const found = await api.user(userId).catch(() => null)
    if (found !== null) viewerLive.raiseVersion(userId, found.version)
  }
}
