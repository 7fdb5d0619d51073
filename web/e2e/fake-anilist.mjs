// A stand-in for AniList: its sign-in page, which sends readers straight back, and the few questions of its GraphQL that the page asks.
import { createServer } from 'node:http'

export const TOKEN = 'token-of-the-fan-that-gars-never-sees'

export function createFakeAniList() {
  /** Entries of the list by MyAnimeList id. */
  const list = new Map()
  const fake = {
    list,
    /** `up`, `down` (503), `busy` (429), `ended` (the token is no longer valid). */
    mode: 'up',
    /** What is sent back in the fragment in place of the token. */
    denies: false,
    /** Where the reader is sent back to: what the client is registered with. */
    redirect: '',
    asked: [],
    /** MyAnimeList ids that it has no title for. */
    lacks: new Set(),
  }
  let lastId = 0

  function answer(query, variables) {
    if (query.includes('Viewer')) return { Viewer: { id: 77, name: 'Fan' } }
    if (query.includes('idMal')) {
      if (fake.lacks.has(variables.mal)) return null
      return { Media: { id: 100_000 + variables.mal, mediaListEntry: list.get(variables.mal) ?? null } }
    }
    if (query.includes('SaveMediaListEntry')) {
      const mal = variables.media - 100_000
      const before = list.get(mal) ?? { id: (lastId += 1), status: 'CURRENT', score: 0, progress: 0 }
      const entry = { ...before, status: variables.status ?? before.status, score: variables.score ?? before.score }
      list.set(mal, entry)
      return { SaveMediaListEntry: entry }
    }
    for (const [mal, entry] of list) if (entry.id === variables.entry) list.delete(mal)
    return { DeleteMediaListEntry: { deleted: true } }
  }

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1')
    if (pathname === '/authorize') {
      const given = fake.denies ? { error: 'access_denied' } : { access_token: TOKEN, token_type: 'Bearer', expires_in: '31536000' }
      const fragment = new URLSearchParams({ ...given, state: searchParams.get('state') })
      return response.writeHead(302, { location: `${fake.redirect}#${fragment}` }).end()
    }
    const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization, content-type, accept', 'access-control-expose-headers': 'retry-after' }
    if (request.method === 'OPTIONS') return response.writeHead(204, cors).end()
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString())
    fake.asked.push({ query, variables, authorization: request.headers.authorization })
    const send = (status, body, more = {}) => response.writeHead(status, { ...cors, 'content-type': 'application/json', ...more }).end(JSON.stringify(body))
    if (fake.mode === 'down') return send(503, {})
    if (fake.mode === 'busy') return send(429, { errors: [{ message: 'Too Many Requests.' }] }, { 'retry-after': '60' })
    if (fake.mode === 'ended' || request.headers.authorization !== `Bearer ${TOKEN}`) return send(400, { data: null, errors: [{ message: 'Invalid token', status: 400 }] })
    const data = answer(query, variables)
    return data ? send(200, { data }) : send(404, { data: null, errors: [{ message: 'Not Found.', status: 404 }] })
  })

  return Object.assign(fake, {
    listen: () => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`))),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  })
}
