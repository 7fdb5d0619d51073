import { t } from '@/i18n'

/** The one error every failed request becomes: what happened, and what to do next. */
export class ApiError extends Error {
  constructor(
    /** The service's code (`unknown_anime`, `not_ready`, …), or `unreachable` / `bad_answer` from the client. */
    readonly code: string,
    message: string,
    readonly hint: string | null = null,
    readonly status: number | null = null,
    /** The message of the service or the browser, for operators. */
    readonly technical: string | null = null,
  ) {
    super(message)
    this.name = 'ApiError'
  }

  /** True if the same request may succeed later without anybody changing it. */
  get isTransient(): boolean {
    return this.status === null || this.status >= 500
  }
}

/** Any thrown thing as an `ApiError`, so that a view has one kind of error to show. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new ApiError('unexpected', message, t('error.unexpectedHint'))
}

/** True if a request was cancelled by the page itself. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError'
}
