import { describe, expect, it } from 'vitest'

import { distinctNames, hashOf, namesFrom } from './friends'
import { visitor } from './viewer'

describe('names on an invitation', () => {
  it('come back from the fragment as they were written', () => {
    const names = new Map([['visitor-1', 'Anna & Co'], ['7', '花子']])
    expect(namesFrom(hashOf(['visitor-1', '7', '8'], names))).toEqual(names)
    expect(hashOf(['8'], names)).toBe('')
    expect(namesFrom('#7=%20%20&8=' + 'x'.repeat(99)).get('8')).toHaveLength(24)
    expect(namesFrom('#7=%20').has('7')).toBe(false)
  })

  it('are never two of the same', () => {
    visitor.value = { id: 'visitor-own', picks: [], started: true, imported: false }
    const names = distinctNames(['visitor-own', 'visitor-aaaa1', 'visitor-aaaa2', '7', '8'], new Map([['visitor-own', 'Ben'], ['7', 'Anna'], ['8', 'anna']]))
    expect([...names.values()]).toEqual(['You', 'Guest AAAA', 'Guest AAAA 2', 'Anna', 'anna 2'])
    visitor.value = null
  })
})
