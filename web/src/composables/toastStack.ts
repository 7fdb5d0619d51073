/** Load the stack of notices. It brings a library with it, so it comes after what the reader came for. */
export const loadToastStack = () => import('@/components/common/ToastStack.vue')

/** Load the flight of a liked cover. */
export const loadFlight = () => import('@/composables/flight')

/**
 * Load the stack of notices and the flight of a liked cover once the browser is idle. Called when the first content stands: the first notice may be that
 * there is no network, and then it is too late to load it.
 */
export function preloadToastStack() {
  const load = () => void Promise.all([loadToastStack(), loadFlight()]).catch(() => undefined)
  if ('requestIdleCallback' in window) requestIdleCallback(load)
  else setTimeout(load)
}
