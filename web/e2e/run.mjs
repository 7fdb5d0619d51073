// Runs the browser tests: against GARS_URL if that is set, else against the stand-in service with the built page.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { createFakeService } from './fake-service.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const only = process.argv.slice(2)
const files = only.length ? only : readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort()

const fake = process.env.GARS_URL ? null : createFakeService()
const url = process.env.GARS_URL ?? (await fake.listen())
console.log(`browser tests against ${fake ? 'the stand-in service' : url}`)

const child = spawn(process.execPath, ['--test', '--test-concurrency=1', ...files.map((name) => here + name)], {
  stdio: 'inherit',
  // GARS_URL_IS_REAL: what only the stand-in promises is skipped, by name.
  env: { ...process.env, GARS_URL: url, ...(fake ? {} : { GARS_URL_IS_REAL: '1' }) },
})
child.on('exit', async (code) => {
  await fake?.close()
  process.exit(code ?? 1)
})
