import { ref } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'

import { type MessageKey, useArea } from '@/i18n'
import HomeView from '@/views/HomeView.vue'

declare module 'vue-router' {
  interface RouteMeta {
    /** The title of the tab; views with a better name set it themselves. */
    title?: MessageKey
  }
}

/** The operator's view, with its own texts. */
async function loadAdmin() {
  await useArea('admin', {
    en: () => import('@/locales/admin.en.json'),
    ja: () => import('@/locales/admin.ja.json'),
    zh: () => import('@/locales/admin.zh.json'),
  })
  return import('@/views/AdminView.vue')
}

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: HomeView, meta: { title: 'title.home' } },
  { path: '/start', name: 'start', component: () => import('@/views/StartView.vue'), meta: { title: 'title.start' } },
  {
    path: '/anime/:id(\\d+)',
    name: 'anime',
    component: () => import('@/views/AnimeView.vue'),
    props: (route) => ({ animeId: Number(route.params.id) }),
    meta: { title: 'title.anime' },
  },
  { path: '/explore', name: 'explore', component: () => import('@/views/ExploreView.vue'), meta: { title: 'title.explore' } },
  { path: '/group', name: 'group', component: () => import('@/views/group').then((view) => view.load()), meta: { title: 'title.group' } },
  { path: '/plan', name: 'plan', component: () => import('@/views/plan').then((view) => view.load()), meta: { title: 'title.plan' } },
  { path: '/season', name: 'season', component: () => import('@/views/season').then((view) => view.load()), meta: { title: 'title.season' } },
  { path: '/anilist', name: 'anilist', component: () => import('@/views/anilist').then((view) => view.load()), meta: { title: 'title.anilist' } },
  { path: '/admin', name: 'admin', component: loadAdmin, meta: { title: 'title.admin' } },
  {
    path: '/search',
    name: 'search',
    component: () => import('@/views/SearchView.vue'),
    props: (route) => ({ text: typeof route.query.q === 'string' ? route.query.q : '' }),
    meta: { title: 'title.search' },
  },
  {
    path: '/users/:id',
    name: 'user',
    component: () => import('@/views/user').then((view) => view.load()),
    props: (route) => ({ userId: String(route.params.id) }),
    meta: { title: 'title.viewer' },
  },
  {
    path: '/users/:id/compare',
    name: 'compare',
    component: () => import('@/views/compare').then((view) => view.load()),
    props: (route) => ({ userId: String(route.params.id) }),
    meta: { title: 'title.compare' },
  },
  {
    path: '/:rest(.*)*',
    name: 'not-found',
    component: () => import('@/views/NotFoundView.vue'),
    meta: { title: 'title.notFound' },
  },
]

/** The address that a chunk was loaded for last, so that a broken one is not loaded for ever. */
const RELOADED = 'gars.reloaded'

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // A change of the query (filters, search as you type) is the same page.
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})

/** True while code of the page cannot be loaded. */
export const chunkFailed = ref(false)
let isNavigating = false

/**
 * After an upgrade the files of the page that is open are gone. The new page is loaded once, at the address wanted;
 * where that does not help (offline, service away) the page says so.
 */
function onChunkFailed(wanted: string) {
  if (navigator.onLine && sessionStorage.getItem(RELOADED) !== wanted) {
    sessionStorage.setItem(RELOADED, wanted)
    location.assign(wanted)
  } else chunkFailed.value = true
}

const isChunkError = (error: unknown) => error instanceof Error && /dynamically imported module|importing a module script|preload CSS/i.test(error.message)

router.onError((error, to) => isChunkError(error) && onChunkFailed(to.fullPath))
window.addEventListener('vite:preloadError', () => {
  // A view that cannot load fails the navigation, which is handled above. A part of the view that is shown is reported
  // only here. Loading the page again is left to the reader: it might fail again, and again. The error is not prevented:
  // the import would yield undefined, and what waits for it would fail at that.
  if (!isNavigating) chunkFailed.value = true
})
router.beforeEach(() => {
  isNavigating = true
})
router.afterEach((to, _from, failure) => {
  isNavigating = false
  if (failure) return
  chunkFailed.value = false
  if (sessionStorage.getItem(RELOADED) === to.fullPath) sessionStorage.removeItem(RELOADED)
})
