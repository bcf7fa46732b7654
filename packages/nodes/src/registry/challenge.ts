/** What a registry asks for in `WWW-Authenticate`. */

export interface Challenge {
  /** Lower case. */
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

const SCHEME = /^\s*([A-Za-z]+)\s+/
const PARAMETER = /([A-Za-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g
/** Longer headers are no challenge that an honest registry sends. */
const MAX_CHARS = 8_192

export function parseChallenge(header: string | undefined): Challenge | undefined {
  const text = header?.slice(0, MAX_CHARS) ?? ''
  const scheme = SCHEME.exec(text)?.[1]
  if (scheme === undefined) return undefined
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, bare = ''] of text.matchAll(PARAMETER))
    parameters.set(name.toLowerCase(), quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1'))
  return { scheme: scheme.toLowerCase(), parameters }
}
