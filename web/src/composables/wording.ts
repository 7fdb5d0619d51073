import { shownNumber, t, textOr } from '@/i18n'
import type { AnimeCard, InteractionKind, Reason } from '@/api/types'

import { shownTitle } from './titles'
import { visitor } from './viewer'

/** The short facts of a title: "TV · 2009 · 64 episodes". */
export function facts({ type, year, episodes }: Pick<AnimeCard, 'type' | 'year' | 'episodes'>, long = false): string {
  const length = episodes === null || (type === 'Movie' && episodes === 1) ? null : t(long ? 'facts.episodesLong' : 'facts.episodes', { n: episodes })
  return [type && typeName(type), year, length].filter((fact) => fact !== null).join(' · ')
}

/** A kind of anime, such as "Movie", in the reader's language. */
export const typeName = (type: string): string => textOr(`type.${type}`, type)

/** What an anime was made from, such as "Light novel", in the reader's language. */
export const sourceName = (source: string): string => textOr(`source.${source}`, source)

/** A genre in the reader's language, or as the data has it. */
export const genreName = (genre: string): string => textOr(`genre.${genre}`, genre)

/** Genres in one line. */
export const genreNames = (genres: readonly string[]): string => genres.map(genreName).join(t('move.and'))

/** Titles in one line, at most `most` of them by name. */
export function titlesInLine(anime: readonly AnimeCard[], most = 2): string {
  const named = anime.slice(0, most).map((one) => shownTitle(one).text)
  const more = anime.length - named.length
  return more > 0 ? t('move.namesMore', { names: named.join(t('move.and')), n: more }) : named.join(t('move.and'))
}

/** A retrieval channel in words, or its own name if it is a new one. */
export const channelInWords = (channel: string): string => textOr(`channel.${channel}`, channel.replaceAll('_', ' '))

/** An action in a sentence: "You liked Monster". */
export function actionText(kind: InteractionKind, undo: boolean, anime: AnimeCard): string {
  const { text: title } = shownTitle(anime)
  return undo ? t('deed.undo', { title }) : t(`deed.${kind}`, { title })
}

/** What caused a change, in a few words: the title, or for one that was taken back the whole deed. */
export const causeText = ({ kind, undo, anime }: { kind: InteractionKind; undo: boolean; anime: AnimeCard }): string =>
  kind === 'dislike' || kind === 'dismiss' || undo ? actionText(kind, undo, anime) : shownTitle(anime).text

/**
 * Word a reason in the reader's language, and so is the title in it. A kind or a verb that the page does not know yet is
 * worded by the service, in English.
 */
export function reasonText({ kind, text, verb, names, title: romaji, ...titles }: Reason): string {
  const title = romaji === null ? null : shownTitle({ title: romaji, ...titles }).text
  if ((kind === 'because' || kind === 'click' || kind === 'despite') && title && (verb === 'liked' || verb === 'watched' || verb === 'opened'))
    return t(`reason.${kind === 'despite' ? kind : 'because'}.${verb}`, { title })
  if (kind === 'franchise' && title) return t('reason.franchise', { title })
  if (kind === 'shared' && title) return t('reason.shared', { title, what: names.join(t('move.and')) })
  if (kind === 'genre' && names[0]) return t('reason.genre', { genre: genreName(names[0]) })
  return kind === 'popular' ? t('reason.popular') : text
}

/** The first `most` reasons, each text once. */
export const distinctReasons = (reasons: readonly Reason[], most: number): Reason[] =>
  reasons.filter((one, at) => reasons.findIndex(({ text }) => text === one.text) === at).slice(0, most)

/** 3,100,000 as "3.1M". */
export const compact = (count: number): string => shownNumber(count, { notation: 'compact', maximumFractionDigits: 1 })

/** A share as a whole percentage. */
export const percent = (share: number): number => Math.round(share * 100)

const VISITOR = 'visitor-'

/** True for the visitor whose id this browser holds. */
export const isOwnVisitor = (userId: string): boolean => visitor.value?.id === userId

/** Name a viewer: "You" for this browser's visitor, "Guest 3F2A" for another one, "Viewer 42" for a user of the data set. */
export function viewerName(userId: string): string {
  if (isOwnVisitor(userId)) return t('viewer.you')
  if (userId.startsWith(VISITOR)) return t('viewer.guest', { code: userId.slice(VISITOR.length, VISITOR.length + 4).toUpperCase() })
  return t('viewer.name', { id: userId })
}
