// The stand-in's shelves, lists from elsewhere, groups, and what a user may do with what is known of them.
import { catalogue, entryOf, fits } from './fake-catalogue.mjs'

const cards = catalogue.map(({ card }) => card)
const has = (user, id) => ['rating', 'reaction', 'status', 'seen', 'dismissed'].some((name) => Boolean(user.opinions.get(id)?.[name]))

const unknownUser = (id) => [404, { error: { code: 'unknown_user', message: `no such user: ${id}`, hint: null } }]

export function moreRoutes({ users, userOf, historyOf, recommendations, similarUsers, apply }) {
  function continues(id, k) {
    const user = userOf(id)
    return catalogue
      .flatMap(({ card, franchise }) => {
        const before = catalogue.filter((entry) => entry.franchise === franchise && entry.card.year < card.year).at(-1)
        return before && has(user, before.card.anime_id) && !has(user, card.anime_id) ? [{ anime: card, after: before.card }] : []
      })
      .slice(0, k)
  }

  /** A list in MyAnimeList's XML, or JSON of ids. */
  function importList(id, text) {
    const found = [...String(text).matchAll(/<series_animedb_id>(\d+)<\/series_animedb_id>[\s\S]*?<my_score>(\d+)<\/my_score>/g)]
    if (!found.length) return [400, { error: { code: 'invalid_input', message: 'this is no list', hint: 'export it from MyAnimeList as XML' } }]
    const known = found.filter(([, anime]) => entryOf.has(Number(anime)))
    for (const [, anime, score] of known) {
      const opinion = Number(score) ? { kind: 'rate', value: Number(score) } : { kind: 'status', value: 'planned' }
      apply({ user_id: id, anime_id: Number(anime), ...opinion, event_id: `import-${id}-${anime}` })
    }
    const unknown = found.filter((one) => !known.includes(one)).map(([, anime]) => ({ name: `Number ${anime}`, anime_id: Number(anime), anilist_id: null }))
    const counts = { entries: found.length, taken: known.length, unchanged: 0, duplicates: 0, events: known.length, version: userOf(id).version }
    return [200, { source: 'MyAnimeList XML export', user_id: id, ...counts, unknown, skipped: [], notes: [] }]
  }

  /** The list at AniList of the one reader it has. */
  function fetchList(id, name) {
    if (name !== 'mina') return [400, { error: { code: 'unknown_list', message: `AniList knows no user called '${name}', or their list is private`, hint: 'check the name' } }]
    const entry = ({ anime_id }) => `<series_animedb_id>${anime_id}</series_animedb_id><my_score>9</my_score>`
    const [status, report] = importList(id, cards.slice(0, 12).map(entry).join(''))
    return [status, { ...report, source: 'AniList' }]
  }

  function group(members, k) {
    const lists = members.map(({ user_id }) => [String(user_id), recommendations(String(user_id), new URLSearchParams({ k: '100' })).items])
    const joy = (list, id) => list.find(({ anime }) => anime.anime_id === id)?.p_like
    return cards
      .filter((card) => lists.every(([, list]) => joy(list, card.anime_id) !== undefined))
      .map((card) => {
        const joys = Object.fromEntries(lists.map(([id, list]) => [id, joy(list, card.anime_id)]))
        const all = Object.values(joys)
        return { anime: card, score: all.reduce((a, b) => a + b, 0) / all.length, least: Math.min(...all), joys }
      })
      .sort((a, b) => (b.least >= 0.4) - (a.least >= 0.4) || b.score - a.score)
      .slice(0, k)
  }

  /** Two users compared; where one has not rated a title, their chance of liking it is 0.5. */
  function compare(id, other) {
    const missing = [id, other].find((one) => !users.has(one))
    if (missing) return unknownUser(missing)
    const [mine, theirs] = [id, other].map((one) => new Map([...userOf(one).opinions].filter(([, { rating, reaction }]) => rating ?? reaction)))
    const likes = ({ rating, reaction }) => (reaction ? reaction === 1 : rating > 7)
    const union = [...new Set([...mine.keys(), ...theirs.keys()])]
    const chance = (list, anime) => (list.has(anime) ? Number(likes(list.get(anime))) : 0.5)
    const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length
    const agreement = (a, b) => a * b + (1 - a) * (1 - b)
    const both = union.filter((anime) => mine.has(anime) && theirs.has(anime))
    const entry = (anime) => ({ anime: entryOf.get(anime).card, rating: mine.get(anime).rating ?? null, other_rating: theirs.get(anime).rating ?? null })
    const known = mine.size > 0 && theirs.size > 0
    return [200, {
      user_id: id,
      other_id: other,
      match: known ? mean(union.map((anime) => agreement(chance(mine, anime), chance(theirs, anime)))) : null,
      by_chance: known ? agreement(mean(union.map((anime) => chance(mine, anime))), mean(union.map((anime) => chance(theirs, anime)))) : null,
      titles: known ? union.length : 0,
      shared: both.length,
      rated: both.length,
      agreed: both.filter((anime) => likes(mine.get(anime)) === likes(theirs.get(anime))).length,
      both_love: both.filter((anime) => likes(mine.get(anime)) && likes(theirs.get(anime))).slice(0, 12).map(entry),
      differ: both.map(entry).filter(({ rating, other_rating }) => Math.abs(rating - other_rating) >= 3).slice(0, 12),
    }]
  }

  /** The answer of a route, or nothing if it is not one of these. */
  return function more(method, path, query, body) {
    const [, first, id, last] = path.split('/')
    const k = Number(query.get('k') ?? 20)
    if (path === '/anime/atlas') {
      const genres = [...new Set(cards.flatMap((card) => card.genres))].sort()
      const known = [...cards].sort((a, b) => b.members - a.members)
      const at = (id, prime) => (id * prime) % 4096
      return [200, {
        version: 'stand-in',
        genres,
        ids: known.map((card) => card.anime_id),
        titles: known.map((card) => card[`title_${query.get('titles')}`] ?? card.title),
        x: known.map((card) => at(card.anime_id, 2654435)),
        y: known.map((card) => at(card.anime_id, 40503)),
        genre: known.map((card) => genres.indexOf(card.genres[0])),
        fame: known.map((card) => Math.floor(Math.log10(card.members))),
      }]
    }
    if (path === '/anime/trending') {
      const heat = (card) => [...users.values()].filter(({ opinions }) => opinions.has(card.anime_id)).length
      return [200, { items: cards.filter(fits(query)).sort((a, b) => heat(b) - heat(a) || a.anime_id - b.anime_id).slice(0, k).map((anime) => ({ anime, heat: heat(anime) })) }]
    }
    if (path === '/anime/season') return [200, { year: 2026, season: 'fall', items: [] }]
    if (path === '/anime/calendar') {
      const entry = (at, released, season) => ({ anime: cards[at], released, season })
      return [200, { today: '2026-11-29', on: [entry(0, '2026-10-04', '2026-fall'), entry(1, '2026-10-05', '2026-fall'), entry(2, null, '2026-fall')], later: [entry(3, '2026-12-05', null), entry(4, null, '2027-winter')] }]
    }
    if (path === '/lists/import') return importList(query.get('user_id'), body)
    if (path === '/lists/fetch') return fetchList(query.get('user_id'), query.get('name'))
    const stranger = path === '/groups/recommendations' && body.members.find(({ user_id }) => !users.has(String(user_id)))
    if (stranger) return unknownUser(stranger.user_id)
    if (path === '/groups/recommendations') return [200, { items: group(body.members, k) }]
    if (first !== 'users') return null
    if (last === 'anime') {
      const at = Number(path.split('/')[4])
      const line = catalogue.filter(({ franchise }) => franchise === entryOf.get(at).franchise).map(({ card }) => card.anime_id)
      const body = (anime_id) => {
        const { rating = null, status = null, reaction = null, seen = false, dismissed = false } = userOf(id).opinions.get(anime_id) ?? {}
        return { anime_id, rating, status, reaction, seen: Boolean(seen), dismissed: Boolean(dismissed) }
      }
      const others = [...users].filter(([other, one]) => other !== id && one.opinions.has(at))
      const neighbours = { asked: users.size - 1, watched: others.length, rated: others.length, liked: 1, rating_mean: others.length ? 7.5 : null }
      return [200, { user_id: id, anime_id: at, version: userOf(id).version, opinions: line.filter((one) => has(userOf(id), one)).map(body), neighbours, p_like: userOf(id).opinions.size ? 0.72 : null }]
    }
    if (last === 'taste') {
      const held = [...userOf(id).opinions].map(([anime, one]) => [entryOf.get(anime).card, one])
      const shares = (of, others) =>
        [...new Set(held.flatMap(([card]) => of(card)))].slice(0, 12).map((name) => {
          const titles = held.filter(([card]) => of(card).includes(name)).length
          return { name, titles, liked: 0, share: titles / held.length, others }
        })
      const ratings = Array.from({ length: 10 }, (_, at) => held.filter(([, { rating }]) => rating === at + 1).length)
      const contrasts = held.filter(([, { rating }]) => rating).slice(0, 3).map(([anime, { rating }]) => ({ anime, rating, score: anime.score }))
      const decade = ({ year }) => [String(Math.floor(year / 10) * 10)]
      const parts = { genres: shares(({ genres }) => genres, 0.2), tags: shares(() => ['Tragedy'], 0.3), studios: shares(() => ['Bones'], 0.1), decades: shares(decade, 0.3) }
      return [200, { user_id: id, version: userOf(id).version, titles: held.length, ratings, severity: -0.4, ...parts, contrasts }]
    }
    if (last === 'similar-users' && path.endsWith('/loved')) {
      const loved = (other) => [...userOf(other).opinions].filter(([anime, { rating }]) => rating >= 9 && !has(userOf(id), anime)).map(([anime]) => entryOf.get(anime).card)
      return [200, { user_id: id, items: similarUsers(id, k).map(({ user_id: other }) => ({ user_id: other, loved: loved(other).slice(0, 4) })) }]
    }
    if (last === 'compare') return compare(id, path.split('/')[4])
    if (last === 'plan') {
      const items = [...userOf(id).opinions].filter(([, { status, seen }]) => status === 'planned' && !seen).map(([anime]) => ({ anime: entryOf.get(anime).card, p_like: 0.6, duration_min: 24 }))
      return [200, { user_id: id, version: userOf(id).version, items }]
    }
    if (last === 'continue') return [200, { user_id: id, items: continues(id, k) }]
    if (last === 'new') return [200, { user_id: id, items: cards.slice(-3).filter(({ anime_id }) => !has(userOf(id), anime_id)) }]
    if (last === 'hidden-gems') {
      const list = recommendations(id, query)
      const most = [...cards].sort((a, b) => a.members - b.members)[Math.floor(cards.length / 2)].members
      return [200, { ...list, items: recommendations(id, new URLSearchParams({ k: '100' })).items.filter(({ anime }) => anime.members <= most).slice(0, k) }]
    }
    if (last === 'export') return [200, { user_id: id, events: historyOf(id).length }]
    if (method === 'DELETE') {
      const gone = userOf(id).opinions.size
      users.delete(id)
      return [200, { user_id: id, events: gone, impressions: 0, state: gone > 0 }]
    }
    return null
  }
}
