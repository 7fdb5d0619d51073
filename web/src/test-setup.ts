import { afterEach, beforeEach, vi } from 'vitest'

/** jsdom has no event streams; tests that need one bring their own. */
class SilentEventSource extends EventTarget {
  static readonly CLOSED = 2
  readonly readyState = 1
  close() {
    // Nothing is open.
  }
}
globalThis.EventSource = SilentEventSource as unknown as typeof EventSource

/** jsdom has no media queries; here motion is reduced and nothing else matches. Tests that need others bring their own. */
window.matchMedia = (query) => Object.assign(new EventTarget(), { matches: query.includes('reduced-motion'), media: query }) as unknown as MediaQueryList

// A warning of Vue is a mistake in the component or in the test.
beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation((...words) => {
    throw new Error(words.join(' '))
  })
})

afterEach(() => {
  localStorage.clear()
  document.body.innerHTML = ''
})
