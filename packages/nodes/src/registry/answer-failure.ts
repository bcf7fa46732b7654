/** From an answer, or from none, to the one error that callers know. Never repeats headers or credentials. */
import { isTransportError } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { RegistryError, type RegistryFailure } from './registry.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** What a registry says of an error is shown up to here. */
const MAX_MESSAGE_CHARS = 300

interface ErrorBody {
  readonly code: string
  readonly message: string
}

/** The errors of the body that the distribution specification prescribes; none when the body is anything else. */
export function errorsOf(text: string): readonly ErrorBody[] {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown }
    if (!Array.isArray(errors)) return []
    return errors.map(({ code, message }) => ({ code: String(code), message: String(message ?? '') }))
  } catch {
    return []
  }
}

const BY_STATUS: Readonly<Record<number, RegistryFailure>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  405: 'DeletionDisabled',
  429: 'RateLimited',
}

/** @param what the request, without its headers */
export function failureOf(what: string, { status, headers, text }: Answer, clock: Clock): RegistryError {
  const [first] = errorsOf(text)
  const isUnsupported = status < 500 && first?.code === 'UNSUPPORTED'
  const failure = isUnsupported
    ? 'DeletionDisabled'
    : (BY_STATUS[status] ?? (status >= 500 ? 'Unavailable' : 'Invalid'))
  const said = first ? ` ${first.code} ${first.message}`.slice(0, MAX_MESSAGE_CHARS).trimEnd() : ''
  const retryAfterMs = retryAfterOf(headers['retry-after'], clock)
  return new RegistryError(failure, `${what}: ${status}${said}`, {
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

/** No answer at all, or one that broke off. */
export function lossOf(what: string, error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  const why = isTransportError(error) ? `${error.reason}: ${error.message}` : String(error)
  return new RegistryError('Unavailable', `${what}: ${why.slice(0, MAX_MESSAGE_CHARS)}`, { cause: error })
}

function retryAfterOf(value: string | readonly string[] | undefined, clock: Clock): number | undefined {
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
