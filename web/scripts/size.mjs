// Fails if the code of the first load outgrows its budget: HTML, scripts and styles, in Brotli as they are sent, without
// headers. A quick count from the manifest; `npm run budget` measures the same in Chromium, headers included.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { BUDGET } from '../e2e/measure.mjs'

// A first visit shows the start panel too. What comes after the first titles stand (notices, popovers) does not count.
const ENTRIES = ['index.html', 'src/views/StartView.vue']

const dist = new URL('../dist/', import.meta.url).pathname
let manifest
try {
  manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
} catch {
  console.error('size: web/dist has no manifest\n  → run: npm run build')
  process.exit(1)
}

const files = new Set(['index.html', 'assets/early.js'])
function collect(name) {
  const chunk = manifest[name]
  if (!chunk) throw new Error(`size: ${name} is not in the manifest; was the view renamed?`)
  if (files.has(chunk.file)) return
  for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
  for (const imported of chunk.imports ?? []) collect(imported)
}
ENTRIES.forEach(collect)

let total = 0
for (const file of files) {
  const path = join(dist, file)
  const bytes = statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size
  total += bytes
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} kB  ${file}`)
}
const kb = total / 1024
console.log(`${kb.toFixed(1).padStart(7)} kB  first load in Brotli, of ${BUDGET.firstLoad} kB`)
if (kb > BUDGET.firstLoad) {
  console.error(`size: ${(kb - BUDGET.firstLoad).toFixed(1)} kB over budget\n  → load it lazily, or drop a dependency`)
  process.exit(1)
}
