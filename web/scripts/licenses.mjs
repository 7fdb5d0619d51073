// Appends the licences of packages that only stylesheets use (typefaces, Tailwind) to the file that Vite wrote for the
// scripts. Fails if one of them has no licence text: the built page is passed on to others.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const web = new URL('..', import.meta.url).pathname
const target = join(web, 'dist/assets/licenses.md')
const FROM_PACKAGE = /(?:@import|url\()\s*['"]((?:@[\w-]+\/)?[a-z][\w-]*)/g

const names = new Set()
for (const file of readdirSync(join(web, 'src'), { recursive: true })) {
  if (!file.endsWith('.css')) continue
  for (const [, name] of readFileSync(join(web, 'src', file), 'utf8').matchAll(FROM_PACKAGE)) names.add(name)
}
for (const name of [...names].sort()) {
  const folder = join(web, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const text = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].map((one) => join(folder, one)).find(existsSync)
  if (!text) {
    console.error(`licenses: ${name} ${version} (${license}) has no licence text\n  → take another package, or add its text here`)
    process.exit(1)
  }
  appendFileSync(target, `\n## ${name} - ${version} (${license})\n\n${readFileSync(text, 'utf8').trim()}\n`)
}
