/** Let the page open without a network: register the service worker, and name the files that are loaded already. */
export async function keepOffline() {
  try {
    await navigator.serviceWorker.register('/assets/worker.js', { scope: '/' })
    const { active } = await navigator.serviceWorker.ready
    active?.postMessage({ keep: performance.getEntriesByType('resource').map(({ name }) => name) })
  } catch {
    // Refused (private window, setting): the page works as it does with a network.
  }
}
