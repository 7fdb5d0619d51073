import { describe, expect, it } from 'vitest'

import { isTheme } from './themes'

describe('themes', () => {
  it('are what a story is about, not how it was made or who is in it', () => {
    expect(['Alchemy', 'Coming of Age', 'Found Family', 'Time Travel'].filter(isTheme)).toHaveLength(4)
    expect(['Male Protagonist', 'Heterosexual', 'Nudity', 'Foreign', 'Based on a Manga', 'CGI'].filter(isTheme)).toEqual([])
  })
})
