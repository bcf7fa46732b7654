import type { JsonObject } from './object.ts'

/** One line of `details.causes`. `reason` is a closed list of Kubernetes: FieldValueInvalid, FieldValueRequired … */
export interface Cause extends JsonObject {
  reason: string
  message: string
  field: string
}

export interface StatusDetails extends JsonObject {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: Cause[]
  retryAfterSeconds?: number
}

/** A refusal that reaches the client as a `Status` object with this HTTP code. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: number
  /** Empty where Kubernetes gives none. */
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }

  toStatus(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason && { reason: this.reason }),
      ...(this.details && { details: this.details }),
      code: this.code,
    }
  }
}

/** Which object an error speaks of. `plural` and `kind` are both needed: 404 and 409 name the plural, 422 the kind. */
export interface Subject {
  readonly group: string
  readonly plural: string
  readonly kind: string
  readonly name: string
}

const qualified = (resource: string, group: string) => (group ? `${resource}.${group}` : resource)

export const badRequest = (message: string) => new StatusError(400, 'BadRequest', message)

export const notFound = (of: Subject) =>
  new StatusError(404, 'NotFound', `${qualified(of.plural, of.group)} "${of.name}" not found`, {
    name: of.name,
    ...(of.group && { group: of.group }),
    kind: of.plural,
  })

export const alreadyExists = (of: Subject) =>
  new StatusError(409, 'AlreadyExists', `${qualified(of.plural, of.group)} "${of.name}" already exists`, {
    name: of.name,
    ...(of.group && { group: of.group }),
    kind: of.plural,
  })

export const conflict = (of: Subject, why: string) =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(of.plural, of.group)} "${of.name}": ${why}`,
    { name: of.name, ...(of.group && { group: of.group }), kind: of.plural },
  )

/** A body of a megabyte can be wrong in 200,000 places, and each is told twice: nobody reads an answer of 80 MB. */
const maxCauses = 500

/** 422 with causes: one cause reads `Kind.group "name" is invalid: field: text`, several `…: [a, b]`. */
export function invalid(of: Subject, all: readonly Cause[]): StatusError {
  const causes = all.slice(0, maxCauses)
  const lines = causes.map(cause => `${cause.field}: ${cause.message}`)
  if (all.length > causes.length) lines.push(`and ${all.length - causes.length} more`)
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  return new StatusError(422, 'Invalid', `${qualified(of.kind, of.group)} "${of.name}" is invalid: ${text}`, {
    ...(of.name && { name: of.name }),
    ...(of.group && { group: of.group }),
    kind: of.kind,
    causes,
  })
}
