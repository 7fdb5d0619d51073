// Writes src/api/schema.ts, the types of the HTTP API, from openapi.json (which a test of the service keeps current).
import { readFile, writeFile } from 'node:fs/promises'

import openapiTS, { astToString } from 'openapi-typescript'

const source = new URL('../openapi.json', import.meta.url)
const target = new URL('../src/api/schema.ts', import.meta.url)

const types = `/** Generated from openapi.json by npm run types: do not edit. */\n${astToString(await openapiTS(source, { defaultNonNullable: false }))}`
// Untouched where nothing changed, so that a watcher does not wake up.
if ((await readFile(target, 'utf8').catch(() => '')) !== types) await writeFile(target, types)
