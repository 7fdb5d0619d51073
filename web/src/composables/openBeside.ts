import type { InjectionKey } from 'vue'

import type { AnimeCard } from '@/api/types'

/** Show an anime beside what is on the screen, if there is room; false if it should have a page of its own. */
export type OpenBeside = (anime: AnimeCard) => boolean

export const OPEN_BESIDE: InjectionKey<OpenBeside> = Symbol('open beside')
