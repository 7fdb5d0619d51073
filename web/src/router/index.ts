import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'

import { type MessageKey, useArea } from '@/i18n'

declare module 'vue-router' {
  interface RouteMeta {
    /** What the tab says; views with a better name set it themselves. */
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
  { path: '/', name: 'home', component: () => import('@/views/HomeView.vue'), meta: { title: 'title.home' } },
  { path: '/start', name: 'start', component: () => import('@/views/StartView.vue'), meta: { title: 'title.start' } },
  {
    path: '/anime/:id(\\d+)',
    name: 'anime',
    component: () => import('@/views/AnimeView.vue'),
    props: (route) => ({ animeId: Number(route.params.id) }),
    meta: { title: 'title.anime' },
  },
  { path: '/explore', name: 'explore', component: () => import('@/views/ExploreView.vue'), meta: { title: 'title.explore' } },
  { path: '/group', name: 'group', component: () => import('@/views/GroupView.vue'), meta: { title: 'title.group' } },
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
    component: () => import('@/views/UserView.vue'),
    props: (route) => ({ userId: String(route.params.id) }),
    meta: { title: 'title.viewer' },
  },
  {
    path: '/:rest(.*)*',
    name: 'not-found',
    component: () => import('@/views/NotFoundView.vue'),
    meta: { title: 'title.notFound' },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  // A change of the query (filters, search as you type) is the same page.
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})
