// The arithmetic of the stand-in service: small, deterministic, and good enough that a list moves when it should.
import { catalogue, entryOf } from './fake-catalogue.mjs'

/** Overlap of two titles' genres, 0 to 1. */
export function similarity(one, two) {
  const shared = one.genres.filter((genre) => two.genres.includes(genre)).length
  return shared / (one.genres.length + two.genres.length - shared)
}

const popularity = (card) => Math.log10(card.members) / 7

/** What one opinion teaches: how much, and in which direction. */
function weight(opinion) {
  if (opinion.rating != null) return (opinion.rating - 6) / 3
  if (opinion.reaction != null) return opinion.reaction * 1.2
  return opinion.clicks ? 0.4 + 0.2 * opinion.clicks : 0.15
}

/** Hidden from the list: what the user has an opinion on, other than a click or a plan. */
const isHidden = (opinion) =>
  opinion.rating != null || opinion.reaction != null || opinion.seen || opinion.dismissed || (opinion.status ?? 'planned') !== 'planned'

const LABEL = { click: 'you looked at', because: 'you liked' }

const UNTITLED = { title: null, title_english: null, title_japanese: null, title_chinese: null }

function reasonsFor(card, teachers) {
  const [best] = teachers
  const reasons = []
  if (best && best.pull > 0.15) {
    const kind = best.opinion.clicks && best.opinion.reaction == null && best.opinion.rating == null ? 'click' : 'because'
    const text = `Because ${LABEL[kind]} ${best.card.title}`
    const { anime_id, title, title_english, title_japanese, title_chinese } = best.card
    reasons.push({ kind, text, anime_id, title, title_english, title_japanese, title_chinese, contribution: best.pull, verb: kind === 'click' ? 'opened' : 'liked', names: [] })
    const genre = card.genres.find((one) => best.card.genres.includes(one))
    if (genre) reasons.push({ kind: 'genre', text: `You watch more ${genre} than most`, anime_id: null, ...UNTITLED, contribution: 0.2, verb: null, names: [genre] })
  }
  if (card.members > 1500000 || reasons.length === 0) {
    reasons.push({ kind: 'popular', text: 'Widely watched and liked', anime_id: null, ...UNTITLED, contribution: 0.1, verb: null, names: [] })
  }
  return reasons
}

/** The ranked list of a user: `opinions` is a Map of anime id → opinion. */
export function recommend(opinions, accept) {
  const items = catalogue
    .filter(({ card }) => !(opinions.has(card.anime_id) && isHidden(opinions.get(card.anime_id))) && accept(card))
    .map(({ card }) => {
      const teachers = [...opinions]
        .filter(([id]) => entryOf.has(id) && id !== card.anime_id)
        .map(([id, opinion]) => {
          const other = entryOf.get(id).card
          return { card: other, opinion, pull: weight(opinion) * similarity(card, other) }
        })
        .sort((a, b) => b.pull - a.pull)
      const taste = teachers.reduce((sum, { pull }) => sum + pull, 0) / Math.sqrt(teachers.length + 1)
      const own = 0.2 * (opinions.get(card.anime_id)?.clicks ?? 0)
      const score = popularity(card) + card.score / 10 + taste + own
      return {
        anime: card,
        score,
        p_like: Math.min(0.98, Math.max(0.05, 1 / (1 + Math.exp(-(score - 1.35) * 2.4)))),
        channels: teachers.length ? ['item_knn', card.anime_id % 2 ? 'edlae' : 'item2vec'] : ['popularity'],
        reasons: reasonsFor(card, teachers),
      }
    })
  return items.sort((a, b) => b.score - a.score || a.anime.anime_id - b.anime.anime_id)
}

const plain = (text) => text.toLowerCase().normalize('NFKC').replace(/[\s\p{P}\p{S}]+/gu, '')

const bigrams = (text) => new Set(Array.from({ length: Math.max(1, text.length - 1) }, (_, at) => text.slice(at, at + 2)))

/** Typo-tolerant match of a query and a title, 0 to 100: shared pairs of letters. */
function match(query, title) {
  const [a, b] = [plain(query), plain(title)]
  if (!a || !b) return 0
  if (b.includes(a)) return 100 - Math.min(20, b.length - a.length)
  const [left, right] = [bigrams(a), bigrams(b)]
  const shared = [...left].filter((pair) => right.has(pair)).length
  return (100 * shared) / left.size - Math.min(20, Math.abs(b.length - a.length))
}

/** `GET /anime?query=`. */
export function search(query, limit) {
  return catalogue
    .map(({ card }) => {
      const titles = [card.title, card.title_english, card.title_japanese].filter(Boolean)
      const [best] = titles.map((title) => ({ title, score: match(query, title) })).sort((a, b) => b.score - a.score)
      return { anime: card, match: best.score, matched: best.title }
    })
    .filter((hit) => hit.match >= 45)
    .sort((a, b) => b.match - a.match || b.anime.members - a.anime.members)
    .slice(0, limit)
}
