/** A continue token that is malformed or belongs to another list; answered as 400. */
export class InvalidContinue extends Error {
  override readonly name = 'InvalidContinue'
  constructor(problem: string) {
    super(`continue key is not valid: ${problem}`)
  }
}

/** `exactVersion` lies in the future; await `reached` first. */
export class VersionNotReached extends Error {
  override readonly name = 'VersionNotReached'
  readonly asked: number
  readonly newest: number
  constructor(asked: number, newest: number) {
    super(`Too large resource version: ${asked}, current: ${newest}`)
    this.asked = asked
    this.newest = newest
  }
}

/** The write was undone because it, or a write it was decided on top of, could not be made durable. */
export class WriteFailed extends Error {
  override readonly name = 'WriteFailed'
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`the write could not be made durable and was undone (${reason}); make room on the disk and try again`, {
      cause,
    })
  }
}

/** The store was closed before, or while, it was asked. */
export class StoreClosed extends Error {
  override readonly name = 'StoreClosed'
  constructor() {
    super('the store is closed')
  }
}

export type StoreOpenProblem = 'InUse' | 'NewerSchema' | 'Foreign' | 'Unreadable'

/** A store folder cannot be opened; nothing in it was changed. The message says what to do. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError'
  readonly problem: StoreOpenProblem
  constructor(problem: StoreOpenProblem, message: string, cause?: unknown) {
    super(message, { cause })
    this.problem = problem
  }
}
