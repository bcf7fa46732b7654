/** Failures of calls. They say what was asked and what the server answered, and never carry bodies, headers or tokens. */

export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** The plural for 404 and 409, the kind for 422. */
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

export interface KubeFailure {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly reason: string
  readonly message: string
  readonly details?: StatusDetails | undefined
  readonly retryAfterMs?: number | undefined
  readonly isOutcomeUnknown?: boolean | undefined
  readonly cause?: unknown
}

/** A message of a server is shown up to here. */
const MAX_MESSAGE_CHARS = 2000

export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** HTTP code; 0 when no answer arrived. */
  readonly status: number
  /**
   * Reason of the server's Status. Reasons of our own: `ConnectionError`, `Timeout` and `Aborted` (by the caller's
   * signal) with status 0, `UnexpectedContent` when an answer is not what Kubernetes sends.
   */
  readonly reason: string
  readonly details: StatusDetails | undefined
  /** How long the server asked to wait. */
  readonly retryAfterMs: number | undefined
  readonly #isOutcomeUnknown: boolean

  constructor(failure: KubeFailure) {
    const answer = failure.status === 0 ? failure.reason : `${failure.status} ${failure.reason}`
    const message = failure.message.slice(0, MAX_MESSAGE_CHARS)
    super(`${failure.method} ${failure.path}: ${answer}: ${message}`, failure.cause ? { cause: failure.cause } : {})
    this.method = failure.method
    this.path = failure.path
    this.status = failure.status
    this.reason = failure.reason
    this.details = failure.details
    this.retryAfterMs = failure.retryAfterMs
    this.#isOutcomeUnknown = failure.isOutcomeUnknown ?? false
  }

  /** The very same request may work later. A conflict is not: the caller has to read again first. */
  isRetryable(): boolean {
    if (this.status === 0) return this.reason !== 'Aborted'
    return this.status === 429 || this.status >= 500
  }

  /**
   * True for a write that may have happened all the same: the answer was lost, or comes from a server that gave up
   * waiting. Look before you write again.
   */
  isOutcomeUnknown(): boolean {
    return this.#isOutcomeUnknown
  }
}

const isFailure = (error: unknown, status: number): error is KubeError =>
  error instanceof KubeError && error.status === status

/** 404, of an object or of a whole route. */
export const isNotFound = (error: unknown) => isFailure(error, 404)

/** 404 that says this very object does not exist; a missing route (kind not served) does not count. */
export const isObjectNotFound = (error: unknown, name: string) =>
  isFailure(error, 404) && error.reason === 'NotFound' && error.details?.name === name

export const isAlreadyExists = (error: unknown) => isFailure(error, 409) && error.reason === 'AlreadyExists'

/** 409 of a stale version, a failed precondition or an apply that meets another owner. */
export const isConflict = (error: unknown) => isFailure(error, 409) && error.reason !== 'AlreadyExists'
export const isForbidden = (error: unknown) => isFailure(error, 403)
export const isInvalid = (error: unknown) => isFailure(error, 422)

/** The version or continue token is too old: 410, as an answer or as an event of a watch. */
export const isExpired = (error: unknown) =>
  error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone')
