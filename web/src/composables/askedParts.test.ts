import { describe, expect, it } from 'vitest'

import type { AskedPart } from '@/api/types'
import { useArea } from '@/i18n'

import { isRequest, partText, withoutPart } from './askedParts'

const part = (changes: Partial<AskedPart>): AskedPart => ({
  kind: 'genre', text: 'ecchi', start: 0, end: 5, negated: false, names: [], anime_id: null, title: null, low: null, high: null, ...changes,
})

describe('withoutPart', () => {
  it.each([
    ['a slow romance, under 13 episodes', 16, 33, 'a slow romance'],
    ['no ecchi, funny', 10, 15, 'no ecchi'],
    ['no ecchi or harem', 3, 8, 'no or harem'],
    ['funny', 0, 5, ''],
    ['田舎の恋愛、12話以内', 6, 11, '田舎の恋愛'],
    ['𠮷 funny short', 2, 7, '𠮷 short'],
  ])('%s', (text, start, end, rest) => expect(withoutPart(text, { start, end })).toBe(rest))
})

describe('partText', () => {
  it('names a title as the service does, and says what is not wanted', async () => {
    await useArea('ask', {
      en: () => import('@/locales/ask.en.json'),
      ja: () => import('@/locales/ask.ja.json'),
      zh: () => import('@/locales/ask.zh.json'),
    })
    expect(partText(part({ kind: 'like', text: 'like Frieren', title: 'Sousou no Frieren' }))).toBe('like Sousou no Frieren')
    expect(partText(part({ negated: true }))).toBe('not ecchi')
    expect(partText(part({}))).toBe('ecchi')
  })
})

it('tells a request from the words of a title', () => {
  const asked = { text: '', unread: [] }
  expect(isRequest({ ...asked, parts: [part({ kind: 'words' })] })).toBe(false)
  expect(isRequest({ ...asked, parts: [part({ kind: 'words' }), part({})] })).toBe(true)
})
