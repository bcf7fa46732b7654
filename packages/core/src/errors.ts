/** Two families of errors. Unknown ones are wrapped once, at the port, with their cause. */

/** May work later, unchanged. */
export class Retryable extends Error {
  override readonly name = 'Retryable'
  /** Earliest next attempt in milliseconds from now, when the other side said so. */
  readonly afterMs: number | undefined
  constructor(message: string, options: { readonly afterMs?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.afterMs = options.afterMs
  }
}

/** Will not work, however often it is tried; somebody has to change something. */
export class Terminal extends Error {
  override readonly name = 'Terminal'
  /** One of a closed list of the domain. */
  readonly code: string
  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
  }
}
