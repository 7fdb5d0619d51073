import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** True from the moment an element is near the screen on; at once without IntersectionObserver. */
export function useInView(element: Readonly<Ref<Element | null>>, margin = '400px'): Readonly<Ref<boolean>> {
  const seen = ref(typeof IntersectionObserver === 'undefined')
  if (seen.value) return seen
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return
      seen.value = true
      observer.disconnect()
    },
    { rootMargin: margin },
  )
  watch(element, (now) => now && !seen.value && observer.observe(now), { immediate: true, flush: 'post' })
  onScopeDispose(() => observer.disconnect())
  return seen
}

/** Call `enter` each time an element comes near the screen after it was away from it. */
export function useEntering(element: Readonly<Ref<Element | null>>, enter: () => void, margin = '100px'): void {
  if (typeof IntersectionObserver === 'undefined') return
  let isNear = false
  const observer = new IntersectionObserver(
    (entries) => {
      const now = entries.at(-1)?.isIntersecting ?? false
      if (now && !isNear) enter()
      isNear = now
    },
    { rootMargin: margin },
  )
  watch(element, (now) => now && observer.observe(now), { immediate: true, flush: 'post' })
  onScopeDispose(() => observer.disconnect())
}
