// Answers have the shape that openapi.json describes: so the stand-in has the shape of the real service.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

import { BASE, interact, someUser } from './browser.mjs'
import { ADMIN } from './fake-operator.mjs'

const spec = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'))

const IS = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
}
/** Keywords of a schema that do not describe a value's shape. */
const NOTES = new Set(['title', 'description', 'default', 'examples', 'format', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern'])
const CHECKED = new Set(['$ref', 'type', 'enum', 'const', 'oneOf', 'anyOf', 'items', 'properties', 'required', 'additionalProperties'])

/** Where `value` differs from `schema`, as lines of text; an unknown keyword of the schema is an error. */
function differences(value, schema, at = 'answer') {
  for (const word of Object.keys(schema)) if (!CHECKED.has(word) && !NOTES.has(word)) throw new Error(`${at}: the schema has the keyword ${word}, which this test does not check`)
  if (schema.$ref) return differences(value, spec.components.schemas[schema.$ref.split('/').at(-1)], at)
  const either = schema.oneOf ?? schema.anyOf
  if (either) {
    const found = either.map((one) => differences(value, one, at))
    return found.some((lines) => lines.length === 0) ? [] : found.sort((a, b) => a.length - b.length).find((lines) => lines.length) ?? []
  }
  if (schema.enum && !schema.enum.includes(value)) return [`${at}: ${JSON.stringify(value)} is none of ${schema.enum}`]
  if ('const' in schema && schema.const !== value) return [`${at}: ${JSON.stringify(value)} is not ${schema.const}`]
  if (schema.type && ![schema.type].flat().some((type) => IS[type](value))) return [`${at}: ${JSON.stringify(value)?.slice(0, 40)} is no ${schema.type}`]
  if (Array.isArray(value)) return schema.items ? value.flatMap((one, index) => differences(one, schema.items, `${at}[${index}]`)) : []
  if (!IS.object(value)) return []
  const { properties = {}, required = [], additionalProperties } = schema
  const missing = required.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`)
  return Object.entries(value).reduce((lines, [name, one]) => {
    const inner = properties[name] ?? (IS.object(additionalProperties) ? additionalProperties : null)
    if (inner) return [...lines, ...differences(one, inner, `${at}.${name}`)]
    return schema.properties && !additionalProperties ? [...lines, `${at}.${name} is not in openapi.json`] : lines
  }, missing)
}

const user = await someUser(0)
const { items: [anime] } = await fetch(`${BASE}/api/v1/onboarding?k=1`).then((response) => response.json())
const planner = `contract-${crypto.randomUUID()}`
await interact({ user_id: planner, anime_id: anime.anime_id, kind: 'status', value: 'planned' })
/** Queries of each route that the page reads with GET, but for those of sessions and files. */
const ROUTES = {
  '/about': [''],
  '/genres': [''],
  '/onboarding': ['?k=3'],
  '/experiment': [''],
  '/anime': ['?query=mon', '?query=qxzjwqxzjw'],
  '/anime/atlas': ['?titles=japanese'],
  '/anime/season': ['?k=5'],
  '/anime/calendar': ['?k=5'],
  '/anime/trending': ['?k=5'],
  '/anime/{anime_id}': [''],
  '/anime/{anime_id}/similar': ['?k=5'],
  '/users': ['?limit=3'],
  '/users/{user_id}': [''],
  '/users/{user_id}/history': ['?limit=5'],
  '/users/{user_id}/plan': [''],
  '/users/{user_id}/taste': [''],
  '/users/{user_id}/compare/{other_id}': [''],
  '/users/{user_id}/recommendations': ['?k=5', '?k=5&explain=full', '?k=5&ask=comedy,%20no%20drama'],
  '/users/{user_id}/hidden-gems': ['?k=5'],
  '/users/{user_id}/new': ['?k=5'],
  '/users/{user_id}/continue': ['?k=5'],
  '/users/{user_id}/similar-users': ['?k=5'],
  '/users/{user_id}/similar-users/loved': ['?k=5'],
  '/users/{user_id}/anime/{anime_id}': [''],
  '/admin/models': [''],
  '/admin/training': [''],
  '/admin/validation': [''],
  '/admin/runs': [''],
}
/** An answer that is expected too: no A/B test runs, or the map is still being drawn. */
const PENDING = { '/experiment': 404, '/anime/atlas': 503 }
const isAdmin = (route) => route.startsWith('/admin')
const skip = process.env.GARS_URL_IS_REAL && !process.env.GARS_ADMIN_TOKEN ? 'GARS_ADMIN_TOKEN is not set' : false

describe('answers', () => {
  for (const [route, queries] of Object.entries(ROUTES)) {
    it(`of ${route} have the shape that openapi.json gives`, { skip: isAdmin(route) && skip }, async () => {
      for (const query of queries) {
        const path = route.replace('{user_id}', route.endsWith('/plan') ? planner : user).replace('{other_id}', user).replace('{anime_id}', anime.anime_id) + query
        const response = await fetch(`${BASE}/api/v1${path}`, isAdmin(route) ? { headers: { authorization: `Bearer ${ADMIN}` } } : {})
        if (response.status === PENDING[route]) continue
        assert.equal(response.status, 200, path)
        const { schema } = spec.paths[`/api/v1${route}`].get.responses[200].content['application/json']
        assert.deepEqual(differences(await response.json(), schema).slice(0, 8), [], path)
      }
    })
  }

  it('of another shape are found', () => {
    const schema = { $ref: '#/components/schemas/ReasonBody' }
    const lines = differences({ kind: 1, extra: 0 }, schema).join('\n')
    assert.match(lines, /^answer\.kind: 1 is no string$/m)
    assert.match(lines, /^answer\.extra is not in openapi\.json$/m)
    assert.ok(differences({}, schema).some((line) => line.endsWith('is missing')))
  })
})
