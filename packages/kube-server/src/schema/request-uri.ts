/** URIs as Go's `url.ParseRequestURI` reads them: absolute, or an absolute path. */
export interface RequestUri {
  readonly scheme: string
  /** With port and brackets, without user. */
  readonly host: string
  /** As written, escapes included. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
}

const schemePattern = /^[a-zA-Z][a-zA-Z0-9+.-]*$/
const hostPattern = /^[a-zA-Z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\uffff]*$/

/** Undefined when the text is no request URI. */
export function parseRequestUri(text: string): RequestUri | undefined {
  if (text === '' || hasControlCharacter(text)) return undefined
  const split = splitScheme(text)
  if (!split) return undefined
  const { scheme, rest } = split
  const mark = rest.indexOf('?')
  const [beforeQuery, query] = mark < 0 ? [rest, ''] : [rest.slice(0, mark), rest.slice(mark + 1)]
  if (!beforeQuery.startsWith('/')) return scheme ? { scheme, host: '', path: '', query } : undefined
  if (!beforeQuery.startsWith('//') || beforeQuery.startsWith('///') || !scheme)
    return withPath(scheme, '', beforeQuery, query)
  const authority = beforeQuery.slice(2)
  const slash = authority.indexOf('/')
  const host = hostOf(slash < 0 ? authority : authority.slice(0, slash))
  return host === undefined ? undefined : withPath(scheme, host, slash < 0 ? '' : authority.slice(slash), query)
}

function withPath(scheme: string, host: string, path: string, query: string): RequestUri | undefined {
  return unescapePercent(path) === undefined ? undefined : { scheme, host, path, query }
}

function splitScheme(text: string): { scheme: string; rest: string } | undefined {
  const colon = text.search(/[^a-zA-Z0-9+.-]/)
  if (colon < 0 || text[colon] !== ':') return { scheme: '', rest: text }
  const scheme = text.slice(0, colon)
  if (scheme === '') return undefined
  // A first character that cannot start a scheme makes the whole text a path.
  return schemePattern.test(scheme)
    ? { scheme: scheme.toLowerCase(), rest: text.slice(colon + 1) }
    : { scheme: '', rest: text }
}

function hostOf(authority: string): string | undefined {
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  if (at >= 0 && !/^[a-zA-Z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return undefined
  if (!hostPattern.test(host)) return undefined
  const close = host.startsWith('[') ? host.indexOf(']') : -1
  if (host.startsWith('[') && close < 0) return undefined
  const port =
    close >= 0 ? host.slice(close + 1) : host.slice(host.lastIndexOf(':') < 0 ? host.length : host.lastIndexOf(':'))
  if (port !== '' && !/^:[0-9]*$/.test(port)) return undefined
  return unescapePercent(host)
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

/** Percent-decoded; undefined for a malformed escape. Bytes that are no UTF-8 become U+FFFD. */
export function unescapePercent(text: string): string | undefined {
  if (!text.includes('%')) return text
  const source = Buffer.from(text)
  const bytes = Buffer.alloc(source.length)
  let length = 0
  for (let i = 0; i < source.length; i++) {
    if (source[i] !== 0x25) {
      bytes[length++] = source[i] ?? 0
      continue
    }
    const digits = source.toString('latin1', i + 1, i + 3)
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) return undefined
    bytes[length++] = Number.parseInt(digits, 16)
    i += 2
  }
  return bytes.toString('utf8', 0, length)
}
