/** `url()` and what can be asked of one, as Go's net/url answers it. */
import { parseRequestUri, unescapePercent } from '../../schema/request-uri.ts'
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'

const typeName = 'kubernetes.URL'

class Url {
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(text: string) {
    // A fragment is no part of a request URI, but of a URL.
    const parsed = parseRequestUri(text)
    const parts = parsed && parseRequestUri(text.replace(/#.*$/s, ''))
    if (!parts)
      throw new RuleError(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
      )
    this.text = text
    this.scheme = parts.scheme
    this.host = parts.host
    this.path = parts.path
    this.query = parts.query
  }

  equals(other: unknown): boolean {
    return other instanceof Url && other.text === this.text
  }
}

export function registerUrl({ env, add }: Registrar): void {
  env.registerType(typeName, { ctor: Url, fields: {} })
  env.registerOperator(`${typeName} == ${typeName}`, (left: Url, right: Url) => left.equals(right))
  add(`url(string): ${typeName}`, (text: string) => new Url(text))
  add('isURL(string): bool', (text: string) => parseRequestUri(text) !== undefined)
  add(`${typeName}.getScheme(): string`, (url: Url) => url.scheme)
  add(`${typeName}.getHost(): string`, (url: Url) => url.host)
  add(`${typeName}.getHostname(): string`, (url: Url) => hostname(url.host))
  add(`${typeName}.getPort(): string`, (url: Url) => /:(\d+)$/.exec(url.host)?.[1] ?? '')
  add(`${typeName}.getEscapedPath(): string`, (url: Url) => escapePath(url.path))
  add(`${typeName}.getQuery(): map<string, list<string>>`, (url: Url) => queryOf(url.query))
}

function hostname(host: string): string {
  const withoutPort = host.replace(/:\d*$/, '')
  return withoutPort.startsWith('[') && withoutPort.endsWith(']') ? withoutPort.slice(1, -1) : withoutPort
}

/** Characters that may stand in a path stay, escapes stay, the rest is escaped. */
function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+/g, part =>
    [...Buffer.from(part)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

function queryOf(query: string): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const equals = pair.indexOf('=')
    const key = unescapePercent((equals < 0 ? pair : pair.slice(0, equals)).replaceAll('+', ' '))
    const value = unescapePercent((equals < 0 ? '' : pair.slice(equals + 1)).replaceAll('+', ' '))
    if (key === undefined || value === undefined) continue
    const known = values.get(key)
    if (known) known.push(value)
    else values.set(key, [value])
  }
  return values
}
