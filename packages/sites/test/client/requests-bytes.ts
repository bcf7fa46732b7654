/**
 * Requests as the `dcmanager` command line puts them on the wire: python-requests 2.28 with keystoneauth1 5.0 for the
 * identity service, and the encoder of requests-toolbelt 0.10 for bodies of several parts.
 */
import { connect } from 'node:net'

const CRLF = '\r\n'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Session {
  /** Of the endpoint in the catalog, `/v1.0` included. */
  readonly endpoint: URL
  readonly token: string
  readonly projectId: string
  readonly userId: string
}

/** Sends exactly these bytes and reads one answer. */
export function exchange(url: URL, head: readonly string[], body: Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname)
    const chunks: Buffer[] = []
    socket.on('data', chunk => {
      chunks.push(chunk)
      const answer = parsed(Buffer.concat(chunks))
      if (answer) {
        socket.destroy()
        resolve(answer)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`no whole answer: ${Buffer.concat(chunks)}`)))
    socket.write(Buffer.concat([Buffer.from([...head, '', ''].join(CRLF)), body]))
  })
}

/** @returns undefined until the answer is whole */
function parsed(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf(CRLF + CRLF)
  if (end < 0) return undefined
  const [start = '', ...lines] = bytes.subarray(0, end).toString().split(CRLF)
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const rest = bytes.subarray(end + 4)
  const body = headers['transfer-encoding'] === 'chunked' ? dechunked(rest) : whole(rest, headers['content-length'])
  return body === undefined ? undefined : { status: Number(start.split(' ')[1]), headers, body: body.toString() }
}

const whole = (rest: Buffer, length = '0') => (rest.length >= Number(length) ? rest : undefined)

function dechunked(rest: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf(CRLF, at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString(), 16)
    if (rest.length < lineEnd + 4 + size) return undefined
    if (size === 0) return Buffer.concat(parts)
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
}

export function discover(authUrl: URL): Promise<RawAnswer> {
  const head = [
    `GET ${authUrl.pathname} HTTP/1.1`,
    `Host: ${authUrl.host}`,
    'User-Agent: keystoneauth1/5.0.0 python-requests/2.28.1 CPython/3.11.2',
    'Accept-Encoding: gzip, deflate',
    'Accept: application/json',
    'Connection: keep-alive',
  ]
  return exchange(authUrl, head, Buffer.alloc(0))
}

const DOMAIN = { id: 'default' }

/** Bodies in the spelling of Python's `json.dumps`. */
export async function login(authUrl: URL, user: string, password: string): Promise<RawAnswer> {
  const body = Buffer.from(
    dumps({
      auth: {
        identity: { methods: ['password'], password: { user: { password, name: user, domain: DOMAIN } } },
        scope: { project: { name: 'admin', domain: DOMAIN } },
      },
    }),
  )
  const url = new URL(`${authUrl.pathname.replace(/\/$/, '')}/auth/tokens`, authUrl)
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'User-Agent: keystoneauth1/5.0.0 python-requests/2.28.1 CPython/3.11.2',
    'Accept-Encoding: gzip, deflate',
    'Accept: application/json',
    'Connection: keep-alive',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  return exchange(url, head, body)
}

const sessionHead = (method: string, { endpoint, token, projectId, userId }: Session, path: string) => [
  `${method} ${endpoint.pathname}${path} HTTP/1.1`,
  `Host: ${endpoint.host}`,
  'User-Agent: python-requests/2.28.1',
  'Accept-Encoding: gzip, deflate',
  'Accept: */*',
  'Connection: keep-alive',
  `x-auth-token: ${token}`,
  `X-Project-Id: ${projectId}`,
  `X-User-Id: ${userId}`,
]

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export const plain = (session: Session, method: Method, path: string) =>
  exchange(session.endpoint, sessionHead(method, session, path), Buffer.alloc(0))

/** @param body undefined: the header of JSON with nothing in it, as a sync is asked for */
export function json(session: Session, method: Method, path: string, body?: unknown): Promise<RawAnswer> {
  const bytes = Buffer.from(body === undefined ? '' : dumps(body))
  const head = [
    ...sessionHead(method, session, path),
    'content-type: application/json',
    `Content-Length: ${bytes.length}`,
  ]
  return exchange(session.endpoint, head, bytes)
}

export interface Parts {
  /** Path that the user gave, and content; the path travels as the name of the file. */
  readonly files?: Readonly<Record<string, readonly [path: string, content: string]>>
  readonly fields?: Readonly<Record<string, string>>
}

/** Files come first, without a content type of their own. */
export function multipart(session: Session, method: Method, path: string, parts: Parts): Promise<RawAnswer> {
  const boundary = 'd5e8c1f0a6b34b7f9a1c2e3d4f506172'
  const texts = [
    ...Object.entries(parts.files ?? {}).map(
      ([name, [file, content]]) => `form-data; name="${name}"; filename="${file}"${CRLF}${CRLF}${content}`,
    ),
    ...Object.entries(parts.fields ?? {}).map(([name, value]) => `form-data; name="${name}"${CRLF}${CRLF}${value}`),
  ]
  const body = Buffer.from(
    `${texts.map(text => `--${boundary}${CRLF}Content-Disposition: ${text}${CRLF}`).join('')}--${boundary}--${CRLF}`,
  )
  const head = [
    ...sessionHead(method, session, path),
    `content-type: multipart/form-data; boundary=${boundary}`,
    `Content-Length: ${body.length}`,
  ]
  return exchange(session.endpoint, head, body)
}

/** With a space after colons and commas, and ASCII only. */
export function dumps(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dumps).join(', ')}]`
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, member]) => `${dumps(key)}: ${dumps(member)}`)
      .join(', ')}}`
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
