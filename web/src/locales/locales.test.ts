import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { baseParse, type ElementNode, NodeTypes, type TemplateChildNode } from '@vue/compiler-dom'
import { parse } from 'vue/compiler-sfc'
import { describe, expect, it } from 'vitest'

const SRC = join(process.cwd(), 'src')
const files = (folder: string, end: RegExp): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => end.test(name)).map((name) => join(folder, name))

/** As they are on the disk. */
const read = (name: string) => JSON.parse(readFileSync(join(SRC, 'locales', name), 'utf8')) as Record<string, string>
const values = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort()

const areas = files(join(SRC, 'locales'), /en\.json$/).map((path) => path.slice(join(SRC, 'locales').length + 1, -'en.json'.length))

describe.each(areas)('texts of area "%s"', (area) => {
  const english = read(`${area}en.json`)
  it.each(['ja', 'zh'])('are all there in %s, with the same values in them', (language) => {
    const other = read(`${area}${language}.json`)
    expect(Object.keys(other).sort()).toEqual(Object.keys(english).sort())
    for (const [key, text] of Object.entries(other)) {
      expect(text, key).not.toBe('')
      expect(values(text), key).toEqual(values(english[key] ?? ''))
    }
  })

  it('are all used', () => {
    const code = files(SRC, /\.(vue|ts)$/).map((path) => readFileSync(path, 'utf8')).join('\n')
    const patterns = [...code.matchAll(/`([a-z]+\.[^`\s]*\$\{[^`]+)`/g)].map(
      ([, text]) =>
        new RegExp(`^${(text ?? '').replaceAll('.', '\\.').replace(/\$\{[^}]+\}/g, '[^.]+')}$`),
    )
    const unused = Object.keys(english).filter(
      (key) => !code.includes(`'${key}'`) && !patterns.some((pattern) => pattern.test(key)),
    )
    expect(unused).toEqual([])
  })
})

describe('templates', () => {
  const TEXT_ATTRIBUTES = new Set(['aria-label', 'placeholder', 'title', 'alt', 'label', 'heading', 'text'])
  const isText = (text: string) => /\p{L}{2,}/u.test(text) && !/^(GARS|AniList|MyAnimeList|ms)$/.test(text.trim())

  function raw(nodes: readonly TemplateChildNode[]): string[] {
    return nodes.flatMap((node) => {
      if (node.type === NodeTypes.TEXT) return isText(node.content) ? [node.content.trim()] : []
      if (node.type !== NodeTypes.ELEMENT) return []
      return [...attributeTexts(node), ...raw(node.children)]
    })
  }
  const attributeTexts = ({ props }: ElementNode) =>
    props.flatMap((prop) => (prop.type === NodeTypes.ATTRIBUTE && TEXT_ATTRIBUTES.has(prop.name) && isText(prop.value?.content ?? '') ? [prop.value?.content ?? ''] : []))

  it('hold no text of their own', () => {
    const found = files(SRC, /\.vue$/).flatMap((path) => {
      const { template } = parse(readFileSync(path, 'utf8')).descriptor
      return raw(baseParse(template?.content ?? '', { comments: false }).children).map((text) => `${path.slice(SRC.length)}: ${text}`)
    })
    expect(found).toEqual([])
  })

  it('would be caught if they did', () => {
    expect(raw(baseParse('<p aria-label="Hidden words">Plain words {{ t("a") }}</p>').children)).toEqual(['Hidden words', 'Plain words'])
  })
})
