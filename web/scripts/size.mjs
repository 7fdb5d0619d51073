// Fails if the JavaScript of the first load outgrows its budget (gzip, summed over what `/` needs before it can paint).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 90
// A first visit shows the start panel too. What comes after the paint (toasts, popovers) does not count.
const ENTRIES = ['index.html', 'src/views/HomeView.vue', 'src/views/StartView.vue']

const dist = new URL('../dist/', import.meta.url).pathname
let manifest
try {
  manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
} catch {
  console.error('size: web/dist has no manifest\n  → run: npm run build')
  process.exit(1)
}

const files = new Set()
function collect(name) {
  const chunk = manifest[name]
  if (!chunk) throw new Error(`size: ${name} is not in the manifest; was the view renamed?`)
  if (files.has(chunk.file)) return
  files.add(chunk.file)
  for (const imported of chunk.imports ?? []) collect(imported)
}
ENTRIES.forEach(collect)

let total = 0
for (const file of files) {
  const bytes = gzipSync(readFileSync(join(dist, file))).length
  total += bytes
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} kB  ${file}`)
}
const kb = total / 1024
console.log(`${kb.toFixed(1).padStart(7)} kB  first load, of ${BUDGET_KB} kB`)
if (kb > BUDGET_KB) {
  console.error(`size: ${(kb - BUDGET_KB).toFixed(1)} kB over budget\n  → load it lazily, or drop a dependency`)
  process.exit(1)
}
