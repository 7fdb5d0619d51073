import { shallowRef } from 'vue'

import { api } from '@/api/client'
import { type ApiError, toApiError } from '@/api/errors'
import type { ImportReport } from '@/api/types'

import { noteSource } from './ownSite'
import { ensureActor, markImported } from './viewer'
import { viewerLive } from './viewerLive'

export type Site = 'anilist' | 'myanimelist'

/** Import a list for the acting user of this page, or for a newcomer made for it. */
export function useImport() {
  const state = shallowRef<'idle' | 'working' | 'done' | 'error'>('idle')
  const report = shallowRef<ImportReport | null>(null)
  const error = shallowRef<ApiError | null>(null)

  async function run(ask: (userId: string) => Promise<ImportReport>) {
    const userId = ensureActor()
    state.value = 'working'
    try {
      report.value = await ask(userId)
      state.value = 'done'
      noteSource(report.value.source)
      if (report.value.taken + report.value.unchanged > 0) markImported(userId)
      viewerLive.raiseVersion(userId, report.value.version)
    } catch (thrown) {
      error.value = toApiError(thrown)
      state.value = 'error'
    }
  }

  return {
    state,
    report,
    error,
    fromFile: (file: Blob) => run((userId) => api.importList(userId, file)),
    fromSite: (site: Site, name: string) => run((userId) => api.fetchList(userId, site, name)),
  }
}
