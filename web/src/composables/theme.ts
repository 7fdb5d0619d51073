import { watchEffect } from 'vue'

import { oneOf, stored } from './stored'

export type Theme = 'system' | 'dark' | 'light'

/** The reader's choice; `public/assets/early.js` reads the same key before the first paint. */
export const theme = stored<Theme>('gars.theme', 'system', oneOf('system', 'dark', 'light'))

watchEffect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme.value
})

/** What is on the screen now, the system's choice looked up. */
export function shownTheme(): 'dark' | 'light' {
  if (theme.value !== 'system') return theme.value
  return window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
}

/** Turn it over: what is not shown now becomes the choice. */
export function toggleTheme() {
  theme.value = shownTheme() === 'dark' ? 'light' : 'dark'
}
