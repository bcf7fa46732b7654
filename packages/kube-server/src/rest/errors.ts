import { StatusError } from '../api/status-error.ts'
import { plainText, type WholeResponse } from '../http/message.ts'
import { StoreClosed } from '../store/index.ts'

export const methodNotAllowed = () =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

/** A path inside a known API version that leads nowhere. */
export const noSuchResource = () =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})

/** A path outside of everything known: the real server answers in plain text. */
export const pageNotFound = (): WholeResponse => plainText(404, '404 page not found\n')

/** What a client gets for any error. Unknown ones are 500 and say no more than their message. */
export function errorResponse(error: unknown): WholeResponse {
  const status = statusOf(error)
  const seconds = status.details?.retryAfterSeconds
  return {
    kind: 'whole',
    status: status.code,
    headers: { 'content-type': 'application/json', ...(seconds !== undefined && { 'retry-after': String(seconds) }) },
    body: `${JSON.stringify(status.toStatus())}\n`,
  }
}

function statusOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  // The server is on its way out; its successor will answer.
  if (error instanceof StoreClosed) return new StatusError(503, 'ServiceUnavailable', 'the server is shutting down')
  return internalError(error)
}

function internalError(error: unknown): StatusError {
  const message = error instanceof Error ? error.message : String(error)
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ reason: 'InternalError', message, field: '' }],
  })
}
