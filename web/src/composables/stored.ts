import { ref, watch, type Ref } from 'vue'

/**
 * A ref that survives a reload, and follows what other tabs write. `parse` gets whatever was stored and returns null
 * for anything it does not recognise. Where storage is refused (private windows) it is a plain ref.
 */
export function stored<T>(key: string, fallback: T, parse: (value: unknown) => T | null): Ref<T> {
  const value = ref(read(key, parse) ?? fallback) as Ref<T>
  watch(
    value,
    (now) => {
      try {
        localStorage.setItem(key, JSON.stringify(now))
      } catch {
        // Refused or full: the choice lasts as long as the page.
      }
    },
    { deep: true, flush: 'sync' },
  )
  window.addEventListener('storage', (event) => {
    if (event.key === key) value.value = read(key, parse) ?? fallback
  })
  return value
}

function read<T>(key: string, parse: (value: unknown) => T | null): T | null {
  try {
    const text = localStorage.getItem(key)
    return text === null ? null : parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** `parse` of a ref that is one of `values`. */
export const oneOf =
  <T extends string>(...values: T[]) =>
  (value: unknown): T | null =>
    values.find((known) => known === value) ?? null
