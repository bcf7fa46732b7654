/** From an answer that is not a success to a KubeError. Takes nothing from a body but the fields of a Status. */
import { KubeError, type StatusDetails } from './errors.ts'
import { isRecord, type Json, type JsonObject, parseJson } from './json.ts'
import type { TransportResponse } from './transport.ts'

export interface Asked {
  readonly method: string
  /** Without the query. */
  readonly path: string
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

const textOf = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

/** A write that a server (or a proxy before it) gave up on may have happened. */
const isUnknown = ({ method }: Asked, status: number) => method !== 'GET' && status >= 500

export async function failureOf(asked: Asked, response: TransportResponse): Promise<KubeError> {
  const body = parseJson(await response.text())
  const retryAfterSeconds = Number.parseInt(String(response.headers['retry-after'] ?? ''), 10)
  return statusFailure(asked, isRecord(body) && body['kind'] === 'Status' ? body : {}, {
    status: response.status,
    ...(Number.isFinite(retryAfterSeconds) && { retryAfterMs: retryAfterSeconds * 1000 }),
  })
}

/** @param answer what the HTTP layer knows; it wins over the Status, which a proxy may have passed on from elsewhere */
export function statusFailure(
  asked: Asked,
  status: JsonObject,
  answer: { readonly status?: number; readonly retryAfterMs?: number } = {},
): KubeError {
  const code = answer.status ?? (typeof status['code'] === 'number' ? status['code'] : 500)
  const details = detailsOf(status['details'])
  const seconds = details?.retryAfterSeconds
  return new KubeError({
    ...asked,
    status: code,
    reason: textOf(status['reason']) ?? REASONS[code] ?? 'Unknown',
    message: textOf(status['message']) ?? 'the server gave no reason',
    details,
    retryAfterMs: answer.retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000),
    isOutcomeUnknown: isUnknown(asked, code),
  })
}

/** An answer that is a success by its code and yet not what Kubernetes sends: a proxy's page, half an object. */
export const unexpected = (asked: Asked, status: number, message: string) =>
  new KubeError({
    ...asked,
    status,
    reason: 'UnexpectedContent',
    message,
    isOutcomeUnknown: asked.method !== 'GET',
  })

function detailsOf(value: Json | undefined): StatusDetails | undefined {
  if (!isRecord(value)) return undefined
  const causes = Array.isArray(value['causes']) ? value['causes'].filter(isRecord).map(causeOf) : undefined
  const seconds = value['retryAfterSeconds']
  return {
    ...pickTexts(value, ['name', 'group', 'kind', 'uid']),
    ...(causes && { causes }),
    ...(typeof seconds === 'number' && Number.isFinite(seconds) && { retryAfterSeconds: Math.max(0, seconds) }),
  }
}

const causeOf = (cause: JsonObject) => pickTexts(cause, ['reason', 'message', 'field'])

function pickTexts<Name extends string>(
  from: JsonObject,
  names: readonly Name[],
): { readonly [name in Name]?: string } {
  const picked: { [name in Name]?: string } = {}
  for (const name of names) {
    const text = textOf(from[name])
    if (text !== undefined) picked[name] = text
  }
  return picked
}
