import type { AnimeCard, InteractionKind } from '@/api/types'

/** The short facts of a title: "TV · 2009 · 64 episodes". */
export function facts({ type, year, episodes }: Pick<AnimeCard, 'type' | 'year' | 'episodes'>, long = false): string {
  const unit = long ? (episodes === 1 ? 'episode' : 'episodes') : 'ep'
  const length = episodes === null || (type === 'Movie' && episodes === 1) ? null : `${episodes} ${unit}`
  return [type, year, length].filter((fact) => fact !== null).join(' · ')
}

const CHANNELS: Record<string, string> = {
  popularity: 'what everybody watches',
  item_knn: 'watched together',
  deepwalk: 'walks over lists',
  item2vec: 'lists read as sentences',
  edlae: 'patterns in ratings',
  ease: 'patterns in ratings',
  ials: 'shared taste',
  graph_filter: 'neighbours of neighbours',
  content: 'same kind of story',
  franchise: 'same franchise',
  trending: 'trending now',
  session: 'what you opened lately',
}

/** A retrieval channel in words, or its own name if it is a new one. */
export const channelInWords = (channel: string): string => CHANNELS[channel] ?? channel.replaceAll('_', ' ')

const DEEDS: Record<InteractionKind, string> = {
  click: 'opened',
  like: 'liked',
  dislike: 'disliked',
  seen: 'have seen',
  dismiss: 'hid',
  rate: 'rated',
  status: 'filed',
}

/** An action as "You liked …" goes on. */
export const deed = (kind: InteractionKind, undo: boolean): string => (undo ? `took back: ${DEEDS[kind]}` : DEEDS[kind])

/** 3,100,000 as "3.1M". */
export const compact = (count: number): string =>
  new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count)

/** Who a viewer is, for a human: "Viewer 42", or "You" for this browser's newcomer. */
export const viewerName = (userId: string): string => (userId.startsWith('visitor-') ? 'You' : `Viewer ${userId}`)
