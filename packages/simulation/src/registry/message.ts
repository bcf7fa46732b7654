/** Requests and answers of the embedded registry, free of sockets. */

export interface RegistryRequest {
  readonly method: string
  /** With query, starting with a slash. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

export interface RegistryAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What becomes of a request: an answer, one that breaks off in its middle, a closed connection, or nothing at all. */
export type RegistryOutcome =
  | { readonly type: 'answer'; readonly answer: RegistryAnswer }
  | { readonly type: 'half'; readonly answer: RegistryAnswer }
  | { readonly type: 'cut' }
  | { readonly type: 'silence' }

export const headerOf = ({ headers }: RegistryRequest, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' || value === undefined ? value : value.join(', ')
}

export function answerOf(
  status: number,
  headers: RegistryAnswer['headers'] = {},
  body: Buffer | string = '',
): RegistryAnswer {
  const bytes = Buffer.from(body)
  return {
    status,
    headers: { 'content-length': String(bytes.length), 'docker-distribution-api-version': 'registry/2.0', ...headers },
    body: bytes,
  }
}

export const jsonAnswer = (status: number, value: unknown, headers: RegistryAnswer['headers'] = {}) =>
  answerOf(status, { 'content-type': 'application/json; charset=utf-8', ...headers }, JSON.stringify(value))

/** The error body that the distribution specification prescribes. */
export const errorAnswer = (status: number, code: string, message: string, headers: RegistryAnswer['headers'] = {}) =>
  jsonAnswer(status, { errors: [{ code, message, detail: null }] }, headers)
