import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** What the tab says; views with a better name set it themselves. */
    title?: string
  }
}

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: () => import('@/views/HomeView.vue'), meta: { title: 'For you' } },
  { path: '/start', name: 'start', component: () => import('@/views/StartView.vue'), meta: { title: 'Start' } },
  {
    path: '/anime/:id(\\d+)',
    name: 'anime',
    component: () => import('@/views/AnimeView.vue'),
    props: (route) => ({ animeId: Number(route.params.id) }),
    meta: { title: 'Anime' },
  },
  {
    path: '/search',
    name: 'search',
    component: () => import('@/views/SearchView.vue'),
    props: (route) => ({ text: typeof route.query.q === 'string' ? route.query.q : '' }),
    meta: { title: 'Search' },
  },
  {
    path: '/users/:id',
    name: 'user',
    component: () => import('@/views/UserView.vue'),
    props: (route) => ({ userId: String(route.params.id) }),
    meta: { title: 'Viewer' },
  },
  {
    path: '/:rest(.*)*',
    name: 'not-found',
    component: () => import('@/views/NotFoundView.vue'),
    meta: { title: 'Not found' },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // A change of the query (filters, search as you type) is the same page.
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})
