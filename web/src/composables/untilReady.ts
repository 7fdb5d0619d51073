import { ApiError } from '@/api/errors'

const PAUSE_MS = 1500

/** Ask again while the service says that it is still making the answer. */
export async function untilReady<T>(ask: () => Promise<T>, signal: AbortSignal, pauseMs = PAUSE_MS): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.code !== 'not_ready') throw thrown
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    signal.throwIfAborted()
  }
}
