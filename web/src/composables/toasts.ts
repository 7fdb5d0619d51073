import { shallowRef } from 'vue'

import type { ApiError } from '@/api/errors'

export interface Toast {
  id: number
  tone: 'done' | 'error'
  text: string
  hint: string | null
  action: { label: string; run: () => unknown } | null
}

/** The notices on the screen, oldest first. */
export const toasts = shallowRef<readonly Toast[]>([])

const MOST = 3
let lastId = 0

function push(toast: Omit<Toast, 'id'>) {
  lastId += 1
  toasts.value = [...toasts.value, { ...toast, id: lastId }].slice(-MOST)
}

/** Say that something was done, and how to take it back. */
export function notifyDone(text: string, action: Toast['action'] = null) {
  push({ tone: 'done', text, hint: null, action })
}

/** Say what failed, and the next step. */
export function notifyError(error: ApiError, action: Toast['action'] = null) {
  push({ tone: 'error', text: error.message, hint: error.hint, action })
}

export function dismissToast(id: number) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}
