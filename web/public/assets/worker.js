// Service worker: the page opens without a network. It answers for two kinds of files only. The page itself comes from
// the network, and from the cache where there is no network; files named by a hash of their content come from the cache,
// since they never change. Answers of the API are left to the browser: none is kept here, so none can be out of date.
const SHELL = 'gars-shell-1'
const FILES = 'gars-files-1'
/** Files kept at most: those of several versions of the page. */
const MOST = 240
const HASHED = /^\/assets\/.*-[\w-]{8}\.\w+$/
const NOT_PAGES = /^\/(api|docs|assets|previews|health|clicks|sim|metrics)(\/|$)/

self.addEventListener('install', (event) => {
  event.waitUntil(
    fetch('/', { cache: 'no-cache' })
      .then(keepShell)
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith('gars-') && name !== SHELL && name !== FILES).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

/** Keep the page and the files that it names: the files first, so that the page that is kept can always be shown. */
async function keepShell(response) {
  if (!response.ok) throw new Error(`the page answered ${response.status}`)
  const html = await response.clone().text()
  const named = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path)
  await keepFiles(named)
  await (await caches.open(SHELL)).put('/', response)
}

async function keepFiles(paths) {
  const cache = await caches.open(FILES)
  await Promise.all(
    [...new Set(paths)].map(async (path) => {
      if (HASHED.test(path) && (await cache.match(path))) return
      const response = await fetch(path)
      if (response.ok) await cache.put(path, response)
    }),
  )
  const kept = await cache.keys()
  await Promise.all(kept.slice(0, Math.max(0, kept.length - MOST)).map((request) => cache.delete(request)))
}

// The page tells which files it has loaded before this worker was there.
self.addEventListener('message', (event) => {
  const { keep } = event.data ?? {}
  if (!Array.isArray(keep)) return
  const own = keep.filter((url) => typeof url === 'string' && url.startsWith(`${self.location.origin}/`)).map((url) => new URL(url).pathname)
  event.waitUntil(keepFiles(own.filter((path) => HASHED.test(path))))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname, search } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  // The list as plain JSON has the address of the page: /?user_id=42
  const isPage = request.mode === 'navigate' && !NOT_PAGES.test(pathname) && !new URLSearchParams(search).has('user_id')
  if (isPage) event.respondWith(page(event))
  else if (pathname.startsWith('/assets/')) event.respondWith(HASHED.test(pathname) ? unchanging(event) : fresh(request))
})

/** The page from the network, kept for when there is none. Every address inside it is the same file. */
async function page(event) {
  try {
    const response = await fetch(event.request)
    const isHtml = response.headers.get('content-type')?.startsWith('text/html')
    // An address with a preview has other tags in its head; the plain page is kept.
    if (response.ok && isHtml && new URL(event.request.url).pathname === '/') event.waitUntil(keepShell(response.clone()).catch(() => undefined))
    return response
  } catch (error) {
    const kept = await caches.match('/', { cacheName: SHELL })
    if (kept) return kept
    throw error
  }
}

/** A file whose name changes with its content. */
async function unchanging(event) {
  const kept = await caches.match(event.request, { cacheName: FILES })
  if (kept) return kept
  const response = await fetch(event.request)
  if (response.ok) {
    const copy = response.clone()
    event.waitUntil(caches.open(FILES).then((cache) => cache.put(event.request, copy)))
  }
  return response
}

/** A file without a hash in its name: from the network, else as it was. */
async function fresh(request) {
  try {
    return await fetch(request)
  } catch (error) {
    const kept = await caches.match(request, { cacheName: FILES })
    if (kept) return kept
    throw error
  }
}
