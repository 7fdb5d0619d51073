import type { InjectionKey } from 'vue'

import type { AnimeCard } from '@/api/types'

/** Show an anime in a side panel, if there is room; false if it should have a page of its own. */
export type OpenPanel = (anime: AnimeCard) => boolean

export const OPEN_PANEL: InjectionKey<OpenPanel> = Symbol('open panel')
