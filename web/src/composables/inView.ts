import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** True from the moment an element is near the screen on; at once where the browser cannot tell. */
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
