import { flushPromises } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'

import { format, language, preferred, ready, shownNumber, t, textOr } from './i18n'

afterEach(async () => {
  language.value = 'en'
  await flushPromises()
})

async function speak(wanted: 'ja' | 'zh') {
  language.value = wanted
  await expect.poll(() => document.documentElement.lang, { timeout: 15_000 }).toBe(wanted)
}

describe('the language of the page', () => {
  it('is the first of the browser that the page speaks', () => {
    expect(preferred(['fr-FR', 'ja-JP', 'en'])).toBe('ja')
    expect(preferred(['zh-Hans-CN'])).toBe('zh')
    expect(preferred(['fr'])).toBe('en')
  })

  it('changes at once, and is kept', async () => {
    await ready
    expect(t('action.like')).toBe('Like')
    await speak('ja')
    expect(t('action.like')).toBe('好き')
    expect(localStorage.getItem('gars.language')).toBe('"ja"')
    await speak('zh')
    expect(t('action.like')).toBe('喜欢')
  })

  it('counts and writes numbers its own way', async () => {
    expect(t('home.from', { n: 1 })).toBe('From 1 title')
    expect(t('home.from', { n: 7 })).toBe('From 7 titles')
    expect(shownNumber(3_100_000, { notation: 'compact' })).toBe('3.1M')
    await speak('ja')
    expect(t('home.from', { n: 7 })).toBe('7 作品から')
    expect(shownNumber(3_100_000, { notation: 'compact' })).toBe('310万')
  })

  it('puts values in, chooses the form by the count, and keeps a placeholder without a value', () => {
    expect(format('{n} title by {who} | {n} titles by {who}', { n: 1, who: '{n}' })).toBe('1 title by {n}')
    expect(format('{n} title | {n} titles', { n: 0 })).toBe('0 titles')
    expect(format('{n} title | {n} titles', { n: '1 000' })).toBe('1 000 titles')
    expect(format('a {gap}')).toBe('a {gap}')
  })

  it('leaves a name it does not know as it is', () => {
    expect(textOr('genre.Brand New', 'Brand New')).toBe('Brand New')
  })
})
