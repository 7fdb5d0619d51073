import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

import { api } from '@/api/client'
import type { ChangedEvent, HelloEvent } from '@/api/types'

export type Connection = 'connecting' | 'live' | 'broken'

/** What is known of the viewer's state on the service. */
export interface LiveState {
  connection: Readonly<Ref<Connection>>
  /** The newest version known, from the stream or from an accepted action; 0 at first. */
  version: Readonly<Ref<number>>
  lastChange: Readonly<ShallowRef<ChangedEvent | null>>
  /** Raise the version to one that came another way. Older ones are ignored. */
  raiseVersion: (userId: string, version: number) => void
}

/**
 * Follow one user's event stream. The browser reconnects by itself, and the `hello` after it has the version now; a
 * stream that it gave up on (the service answered with an error) is opened again after a pause. A stream that was open
 * when the network went may stay silent for minutes without an error, so it is closed then and opened anew once the
 * network is back. A hidden page has no stream: over HTTP/1.1 a browser keeps six connections to one host, and seven open
 * tabs would be stuck.
 */
export function followUser(userId: Readonly<Ref<string | null>>, retryAfterMs = 3000): LiveState {
  const connection = ref<Connection>('connecting')
  const version = ref(0)
  const lastChange = shallowRef<ChangedEvent | null>(null)
  let source: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined

  function raiseVersion(id: string, newer: number) {
    if (id === userId.value && newer > version.value) version.value = newer
  }

  function close() {
    clearTimeout(retry)
    source?.close()
    source = null
  }

  function open(id: string) {
    const stream = new EventSource(api.eventsUrl(id))
    source = stream
    stream.addEventListener('hello', (event: MessageEvent<string>) => {
      connection.value = 'live'
      raiseVersion(id, (JSON.parse(event.data) as HelloEvent).version)
    })
    stream.addEventListener('changed', (event: MessageEvent<string>) => {
      const change = JSON.parse(event.data) as ChangedEvent
      lastChange.value = change
      raiseVersion(id, change.version)
    })
    stream.addEventListener('error', () => {
      connection.value = 'broken'
      if (stream.readyState !== EventSource.CLOSED) return
      retry = setTimeout(() => open(id), retryAfterMs)
    })
  }

  function reopen() {
    close()
    connection.value = 'connecting'
    if (userId.value !== null && !document.hidden) open(userId.value)
  }

  function lost() {
    close()
    connection.value = 'broken'
  }

  watch(
    userId,
    () => {
      version.value = 0
      lastChange.value = null
      reopen()
    },
    { immediate: true, flush: 'sync' },
  )
  document.addEventListener('visibilitychange', reopen)
  window.addEventListener('online', reopen)
  window.addEventListener('offline', lost)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', reopen)
    window.removeEventListener('online', reopen)
    window.removeEventListener('offline', lost)
    close()
  })
  return { connection, version, lastChange, raiseVersion }
}
