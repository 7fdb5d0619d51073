import '@/styles/main.css'

import { createApp } from 'vue'

import App from './App.vue'
import { coversQuestionReady } from './composables/covers'
import { ready } from './i18n'
import { router } from './router'

// A reader of another language than English sees it from the first paint, and nothing moves for the question about covers.
void Promise.all([ready, coversQuestionReady()]).then(() => createApp(App).use(router).mount('#app'))

// After everything that the first page needs.
if (import.meta.env.PROD && 'serviceWorker' in navigator && window.isSecureContext) {
  window.addEventListener('load', () => void import('./composables/offlineShell').then(({ keepOffline }) => keepOffline()))
}
