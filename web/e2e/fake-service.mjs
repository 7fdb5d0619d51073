// A stand-in for the service: the same API, state in memory, the same answers every time. For working on the page and
// for its browser tests where no model is trained. `node e2e/fake-service.mjs [port]` serves the API and web/dist.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

import { catalogue, detailOf, entryOf, fits, WORDS } from './fake-catalogue.mjs'
import { ADMIN, metricsText, operatorRoutes } from './fake-operator.mjs'
import { moreRoutes } from './fake-routes.mjs'
import { recommend, search, similarity } from './fake-taste.mjs'

/** The built page. */
export const DIST = fileURLToPath(new URL('../dist/', import.meta.url))
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}
const SECURITY = {
  'content-security-policy': "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

class Failure extends Error {
  constructor(status, code, message, hint = null) {
    super(message)
    Object.assign(this, { status, code, hint })
  }
}

/** Users of the "data set": a taste by genre gives each a history. */
function seedUsers() {
  const tastes = { 1: 'Sci-Fi', 7: 'Romance', 12: 'Action', 23: 'Psychological', 42: 'Adventure', 77: 'Comedy', 108: 'Sports', 256: 'Music' }
  return new Map(
    Object.entries(tastes).map(([id, genre]) => {
      const opinions = new Map()
      catalogue.forEach(({ card }, at) => {
        if ((at * 7 + Number(id) * 13) % 5 > 1) return
        const rating = card.genres.includes(genre) ? 9 + (at % 2) : 5 + ((at * 3 + Number(id)) % 4)
        opinions.set(card.anime_id, { rating: at % 6 ? rating : null, status: 'completed', at })
      })
      return [id, { version: opinions.size, opinions, events: new Set() }]
    }),
  )
}

export function createFakeService({ simulated = false, covers = 'off', coverOf = () => null, anilist = null } = {}) {
  const policy = SECURITY['content-security-policy'] + (anilist ? `; connect-src 'self' ${new URL(anilist.api_url).origin}` : '')
  const security = { ...SECURITY, 'content-security-policy': policy }
  const users = seedUsers()
  const streams = new Map()
  let now = 1000

  const userOf = (id) => users.get(id) ?? { version: 0, opinions: new Map(), events: new Set() }
  const historyOf = (id) =>
    [...userOf(id).opinions]
      .filter(([, opinion]) => Object.entries(opinion).some(([name, value]) => name !== 'at' && Boolean(value)))
      .sort(([, a], [, b]) => b.at - a.at)

  function summary(id) {
    const { version, opinions } = userOf(id)
    const ratings = [...opinions.values()].map(({ rating }) => rating).filter((rating) => rating != null)
    return {
      user_id: id,
      known: users.has(id),
      version,
      titles: opinions.size,
      ratings: ratings.length,
      rating_mean: ratings.length ? ratings.reduce((a, b) => a + b, 0) / ratings.length : null,
      clicks: [...opinions.values()].filter(({ clicks }) => clicks > 0).length,
      recent: historyOf(id).slice(0, 5).map(([anime]) => entryOf.get(anime).card),
    }
  }

  function apply(event) {
    const id = String(event.user_id)
    if (!entryOf.has(event.anime_id)) {
      throw new Failure(422, 'unknown_anime', `1 anime id(s) not in the catalogue: ${event.anime_id}`)
    }
    const user = userOf(id)
    users.set(id, user)
    if (user.events.has(event.event_id)) return { id, duplicate: true }
    const opinion = { ...user.opinions.get(event.anime_id), at: (now += 1) }
    const on = !event.undo
    if (event.kind === 'rate') opinion.rating = on ? event.value : null
    if (event.kind === 'status') opinion.status = on ? event.value : null
    if (event.kind === 'like') opinion.reaction = on ? 1 : null
    if (event.kind === 'dislike') opinion.reaction = on ? -1 : null
    if (event.kind === 'seen') opinion.seen = on
    if (event.kind === 'dismiss') opinion.dismissed = on
    if (event.kind === 'click') opinion.clicks = on ? (opinion.clicks ?? 0) + 1 : 0
    user.opinions.set(event.anime_id, opinion)
    user.events.add(event.event_id)
    user.version += 1
    const { kind, anime_id, event_id } = event
    const changed = { user_id: id, version: user.version, event_id, kind, anime_id, accepted_ms: Date.now() }
    for (const stream of streams.get(id) ?? []) stream.write(`event: changed\ndata: ${JSON.stringify(changed)}\n\n`)
    return { id, duplicate: false }
  }

  function interactions(body) {
    const events = body.events ?? [body]
    const result = { accepted: [], duplicates: 0, versions: {} }
    events.forEach((event, index) => {
      const known = { event_id: `made-${now}-${index}`, ...event }
      const { id, duplicate } = apply(known)
      if (duplicate) result.duplicates += 1
      else result.accepted.push(known.event_id)
      result.versions[id] = userOf(id).version
    })
    return result
  }

  /** Of a request in words the stand-in reads the names of genres, and "no" before them. */
  function asked(text) {
    const genres = [...new Set(catalogue.flatMap(({ card }) => card.genres))]
    const parts = genres.flatMap((genre) => {
      const start = text.toLowerCase().indexOf(genre.toLowerCase())
      if (start < 0) return []
      const negated = /\bno $/.test(text.slice(0, start))
      return [{ kind: 'genre', text: text.slice(start, start + genre.length), start, end: start + genre.length, negated, names: [genre], anime_id: null, title: null, low: null, high: null }]
    })
    return { text, parts: parts.sort((a, b) => a.start - b.start), unread: [] }
  }

  function recommendations(id, query) {
    const request = query.has('ask') ? asked(query.get('ask')) : null
    const number = (name, otherwise) => (query.has(name) ? Number(query.get(name)) : otherwise)
    const user = userOf(id)
    const seen = new Set([...user.opinions].filter(([, one]) => one.rating ?? one.reaction ?? one.status).map(([anime]) => entryOf.get(anime).franchise))
    const dropped = new Set([...user.opinions].filter(([, one]) => one.status === 'dropped').map(([anime]) => entryOf.get(anime).franchise))
    const passes = fits(query)
    const accept = (card) => {
      const { franchise } = entryOf.get(card.anime_id)
      const first = catalogue.filter((entry) => entry.franchise === franchise).sort((a, b) => a.card.year - b.card.year)[0].card
      if (query.get('hide_sequels') !== 'false' && first !== card && !seen.has(franchise)) return false
      if (query.get('hide_dropped_series') !== 'false' && dropped.has(franchise)) return false
      if (request?.parts.some(({ names: [genre], negated }) => card.genres.includes(genre) === negated)) return false
      return passes(card)
    }
    const k = number('k', 20)
    const offset = number('offset', 0)
    return {
      user_id: id,
      version: user.version,
      model_version: 'stand-in',
      request_id: `request-${id}-${user.version}`,
      cold: user.opinions.size === 0,
      fallback: null,
      next: null,
      changed: [],
      ...(request ? { asked: request } : {}),
      items: matched(user.opinions.size, byNiche(recommend(user.opinions, accept), number('niche', 0))
        .map((item, at) => (query.get('explain') === 'full' ? { ...item, explanation: explained(item, at, user) } : item))
        .slice(offset, offset + k)),
    }
  }

  /** With a grade that agrees with the order, where anything is known. */
  function matched(known, items) {
    const best = Math.max(...items.map(({ score }) => score))
    const grade = (odds) => (odds >= 0.6 ? 'best' : odds >= 0.3 ? 'great' : odds >= 0.1 ? 'good' : 'fair')
    const grades = items.map(({ score }) => score).sort((a, b) => b - a).map((score) => grade(Math.exp(score - best)))
    return items.map((item, at) => ({ ...item, match: known ? grades[at] : null }))
  }

  /** What a ranker would have seen of a title. */
  const explained = ({ p_like, score }, at, { opinions }) => ({
    score: { model: p_like, session: score - p_like },
    features: { user_titles: Math.log1p(opinions.size), edlae_score: 3 * score, edlae_place: Math.log1p(at), genre_share: p_like / 2, rating_kriged: 5 + 4 * p_like },
  })

  /** The larger `niche`, the more it costs a title to be known. */
  function byNiche(items, niche) {
    const worth = ({ score, anime }) => score - niche * Math.log10(anime.members)
    return niche ? items.sort((a, b) => worth(b) - worth(a)) : items
  }

  function similarUsers(id, k) {
    const own = new Set(userOf(id).opinions.keys())
    return [...users.keys()]
      .filter((other) => other !== id)
      .map((other) => {
        const shared = [...userOf(other).opinions.keys()].filter((anime) => own.has(anime))
        const shared_titles = shared.slice(0, 3).map((anime) => entryOf.get(anime).card)
        const overlap = shared.length / (own.size + userOf(other).opinions.size - shared.length)
        const taste = { genres: ['Action', 'Drama'], titles: userOf(other).opinions.size, rating_mean: 7.5 }
        return { user_id: other, similarity: shared.length / (own.size + userOf(other).opinions.size + 1), shared: shared.length, overlap, taste, shared_titles }
      })
      .filter(({ shared }) => shared > 0)
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, k)
  }

  function about() {
    const data = { name: 'stand-in', simulated, anime: catalogue.length, users: users.size, interactions: 240 }
    return { name: 'GARS', version: '0.0.0', model: { version: 'stand-in', trained: '2026-01-01T00:00:00Z', metrics: null }, data, coverage: null, list_sites: ['anilist', 'myanimelist'], covers, anilist }
  }

  const operator = operatorRoutes()
  const more = moreRoutes({ users, userOf, historyOf, recommendations, similarUsers, apply })

  function answer(method, path, query, body) {
    const other = operator(method, path, query) ?? more(method, path, query, body)
    if (other) return other
    const [, first, id, last] = path.split('/')
    const k = Number(query.get('k') ?? 10)
    const limit = Number(query.get('limit') ?? 20)
    if (method === 'POST' && path === '/interactions') return [202, interactions(body)]
    if (path === '/about') return [200, about()]
    if (path === '/genres') {
      const genres = [...new Set(catalogue.flatMap(({ card }) => card.genres))].sort()
      return [200, { genres, types: [...new Set(catalogue.map(({ card }) => card.type))].sort(), ...WORDS }]
    }
    if (path === '/onboarding') {
      const firsts = catalogue.filter(({ card }, at) => at % 2 === 0 && !/Season|R2|After/.test(card.title))
      return [200, { items: firsts.slice(0, k).map(({ card }) => card) }]
    }
    if (path === '/users') return [200, { users: [...users.keys()].slice(0, limit).map(summary), next: null }]
    if (first === 'users' && !last) return [200, summary(id)]
    if (first === 'users' && last === 'recommendations') return [200, recommendations(id, query)]
    if (first === 'users' && last === 'similar-users') return [200, { user_id: id, items: similarUsers(id, k) }]
    if (first === 'users' && last === 'history') {
      const items = historyOf(id).slice(0, limit).map(([anime, opinion]) => ({
        anime: entryOf.get(anime).card,
        rating: opinion.rating ?? null,
        status: opinion.status ?? null,
        reaction: opinion.reaction ?? null,
        seen: Boolean(opinion.seen),
        clicked: opinion.clicks > 0,
        dismissed: opinion.dismissed ?? false,
      }))
      return [200, { user_id: id, items }]
    }
    if (path === '/anime') {
      const text = query.get('query')?.trim()
      if (!text) throw new Failure(400, 'invalid_input', 'query is empty', 'type a title')
      const items = search(text, limit)
      return [200, { query: text, poor: items.length === 0, items }]
    }
    if (first === 'anime') {
      const entry = entryOf.get(Number(id))
      if (!entry) throw new Failure(404, 'unknown_anime', `No anime ${id} in the catalogue.`, 'Search for it by name.')
      if (!last) return [200, detailOf(entry)]
      const items = catalogue
        .filter(({ card, franchise }) => card !== entry.card && (query.get('same_franchise') !== 'false' || franchise !== entry.franchise))
        .map(({ card, franchise }) => ({ anime: card, similarity: Math.min(1, similarity(entry.card, card) + (franchise === entry.franchise ? 0.4 : 0)) }))
        .sort((a, b) => b.similarity - a.similarity || a.anime.anime_id - b.anime.anime_id)
      return [200, { anime_id: entry.card.anime_id, items: items.slice(0, k) }]
    }
    throw new Failure(404, 'not_found', `No route ${path}.`)
  }

  function stream(request, response, id) {
    response.writeHead(200, { ...security, 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`retry: 1000\nevent: hello\ndata: ${JSON.stringify({ user_id: id, version: userOf(id).version })}\n\n`)
    const open = streams.get(id) ?? new Set()
    streams.set(id, open.add(response))
    request.on('close', () => open.delete(response))
  }

  let folder = DIST
  async function file(path, response) {
    const asked = normalize(path).startsWith('/assets/') ? normalize(path) : '/index.html'
    try {
      const bytes = await readFile(join(folder, asked))
      const worker = asked === '/assets/worker.js' ? { 'service-worker-allowed': '/' } : {}
      response.writeHead(200, { ...security, ...worker, 'content-type': TYPES[extname(asked)] ?? 'application/octet-stream' }).end(bytes)
    } catch {
      response.writeHead(404, security).end()
    }
  }

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1')
    const isOperator = request.headers.authorization === `Bearer ${ADMIN}`
    if (pathname === '/metrics' && isOperator) return response.writeHead(200, { ...security, 'content-type': 'text/plain' }).end(metricsText(now))
    if (!pathname.startsWith('/api/v1') && pathname !== '/metrics') return file(pathname, response)
    const path = decodeURIComponent(pathname.slice('/api/v1'.length))
    const cover = path.match(/^\/anime\/(\d+)\/cover$/)
    if (cover) {
      const image = await coverOf(Number(cover[1]))
      return image ? response.writeHead(200, { ...security, 'content-type': 'image/png' }).end(image) : response.writeHead(502, security).end()
    }
    const events = path.match(/^\/users\/([^/]+)\/events$/)
    if (events) return stream(request, response, events[1])
    let status, body
    try {
      if (/^\/api\/v1\/admin|^\/metrics/.test(pathname) && !isOperator) throw new Failure(401, 'unauthorized', 'this needs GARS_ADMIN_TOKEN: Authorization: Bearer TOKEN')
      const chunks = await collect(request)
      const text = Buffer.concat(chunks).toString()
      ;[status, body] = answer(request.method, path, searchParams, bodyOf(request, text))
    } catch (error) {
      status = error.status ?? 500
      body = { error: { code: error.code ?? 'error', message: error.message, hint: error.hint ?? null } }
    }
    response.writeHead(status, { ...security, 'content-type': 'application/json' }).end(JSON.stringify(body))
  })

  return {
    /** Listen on a free port of this machine (or `port`); resolves to the base address. */
    listen: (port = 0) =>
      new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`))),
    /** Serve the page from another folder from now on, as after an upgrade. */
    servePageFrom: (other) => (folder = other),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  }
}

/** JSON where it says so, else the text as it is. */
const bodyOf = (request, text) => (text && request.headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : text)

async function collect(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const simulated = process.argv.includes('--simulated')
  const port = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 8000)
  console.log(await createFakeService({ simulated }).listen(port))
}
