import { effectScope } from 'vue'

import { followUser, type LiveState } from './live'
import { viewerId } from './viewer'

/** The viewer's event stream: one for the whole page, for as long as it is open. */
export const viewerLive: LiveState = effectScope(true).run(() => followUser(viewerId)) as LiveState
