import { describe, expect, it } from 'vitest'

import { lines } from './shareCard'

const fits = (most: number) => (line: string) => line.length <= most

describe('a title on the card', () => {
  it('breaks at words, and Japanese anywhere', () => {
    expect(lines('Fullmetal Alchemist: Brotherhood', fits(12), 4)).toEqual(['Fullmetal', 'Alchemist:', 'Brotherhood'])
    expect(lines('鋼の錬金術師', fits(4), 4)).toEqual(['鋼の錬金', '術師'])
  })

  it('ends with an ellipsis where it is too long', () => {
    expect(lines('one two three four', fits(7), 2)).toEqual(['one two', 'three…'])
    expect(lines('', fits(7), 2)).toEqual([])
  })
})
