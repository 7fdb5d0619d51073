import { afterEach, describe, expect, it, vi } from 'vitest'

import { api, toQueryString } from './client'
import { ApiError } from './errors'

function answer(body: string, status = 200) {
  const fetched = vi.fn().mockResolvedValue(new Response(body, { status, statusText: 'Nope' }))
  vi.stubGlobal('fetch', fetched)
  return fetched
}

afterEach(() => vi.restoreAllMocks())

describe('toQueryString', () => {
  it('repeats lists, keeps false and zero, leaves absent values out', () => {
    expect(toQueryString({ genre: ['Action', 'Sci-Fi'], adult: false, year_min: 0, type: undefined })).toBe(
      '?genre=Action&genre=Sci-Fi&adult=false&year_min=0',
    )
  })

  it('is empty without values', () => {
    expect(toQueryString({})).toBe('')
  })
})

describe('api', () => {
  it('unwraps items and escapes ids', async () => {
    const fetched = answer('{"user_id": "a/b", "items": []}')
    await expect(api.history('a/b', 5)).resolves.toEqual([])
    expect(fetched.mock.calls[0]?.[0]).toBe('/api/v1/users/a%2Fb/history?limit=5')
  })

  it('turns the error shape of the service into an ApiError', async () => {
    answer('{"error": {"code": "unknown_anime", "message": "No anime 7.", "hint": "Search for it."}}', 404)
    const error = await api.anime(7).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({
      code: 'unknown_anime',
      message: 'This anime is not in the catalogue.',
      hint: null,
      technical: '404 Nope · No anime 7. · Search for it.',
      status: 404,
      isTransient: false,
    })
  })

  it('says the status when an error has no body it knows', async () => {
    answer('<html>', 502)
    await expect(api.about()).rejects.toMatchObject({
      code: 'bad_answer',
      message: 'Something went wrong on our side. Try again in a moment.',
      technical: '502 Nope',
      isTransient: true,
    })
  })

  it('refuses a good status without JSON', async () => {
    answer('<html>')
    await expect(api.about()).rejects.toMatchObject({
      code: 'bad_answer',
      message: 'GARS answered something this page does not understand.',
      hint: 'Reload the page: it may have been updated.',
      technical: '/about: not JSON',
    })
  })

  it('says that the service does not answer, and keeps the command that starts it for operators', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('Failed to fetch')))
    await expect(api.about()).rejects.toMatchObject({
      code: 'unreachable',
      message: 'GARS does not answer right now.',
      hint: 'Try again in a moment.',
      technical: 'For operators: is the service running? Start it with: gars serve',
    })
  })

  it('says offline when the browser is', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('Failed to fetch')))
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    await expect(api.about()).rejects.toMatchObject({ code: 'unreachable', message: 'You are offline.' })
  })

  it('lets its own cancellation through', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new DOMException('gone', 'AbortError')))
    await expect(api.about()).rejects.toMatchObject({ name: 'AbortError' })
  })
})
