import type { Asked, AskedPart } from '@/api/types'
import { t } from '@/i18n'

/** The parts in words: the reader's own, or the title that was recognised. */
export function partText({ text, negated, title }: AskedPart): string {
  if (title !== null) return t('ask.like', { title })
  return negated ? t('ask.not', { name: text }) : text
}

/** The request without one of its parts. The service counts characters, a string of JavaScript counts UTF-16 units. */
export function withoutPart(request: string, { start, end }: Pick<AskedPart, 'start' | 'end'>): string {
  const characters = [...request.normalize('NFC')]
  return [...characters.slice(0, start), ' ', ...characters.slice(end)]
    .join('')
    .replace(/\s+/g, ' ')
    .replace(/\s+([,、，])/g, '$1')
    .replace(/([,、，])(?:\s*[,、，])+/g, '$1')
    .replace(/^[\s,、，]+|[\s,、，]+$/g, '')
}

/** True if a request means more than words of a title: something that filters understand. */
export const isRequest = ({ parts }: Asked): boolean => parts.some(({ kind }) => kind !== 'words')
