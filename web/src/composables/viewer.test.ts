import { beforeEach, describe, expect, it } from 'vitest'

import { actorId, countPick, ensureActor, resetVisitor, isMember, selectViewer, selectVisitor, startVisitor, viewerId, visitor } from './viewer'

beforeEach(resetVisitor)

describe('viewer', () => {
  it('is empty at first', () => {
    expect(viewerId.value).toBeNull()
    expect(actorId.value).toBeNull()
  })

  it('is a newcomer with an id of their own once they start', () => {
    const id = ensureActor()
    expect(id).toMatch(/^visitor-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(ensureActor()).toBe(id)
    expect(viewerId.value).toBeNull()
    startVisitor()
    expect(viewerId.value).toBe(id)
    expect(JSON.parse(localStorage.getItem('gars.visitor') ?? '')).toMatchObject({ id, started: true })
  })

  it('keeps the newcomer while looking as a user of the data set', () => {
    startVisitor()
    const own = viewerId.value
    selectViewer('42')
    expect(viewerId.value).toBe('42')
    expect(isMember.value).toBe(true)
    selectVisitor()
    expect(viewerId.value).toBe(own)
  })

  it('counts picks of the newcomer only, each once', () => {
    const id = ensureActor()
    countPick(id, 5, true)
    countPick(id, 5, true)
    countPick('42', 6, true)
    expect(visitor.value?.picks).toEqual([5])
    countPick(id, 5, false)
    expect(visitor.value?.picks).toEqual([])
  })
})
