const MASK = '******'

/** Hides values that must not be read in a log: longest first, so that one inside another leaves nothing behind. */
export function masked(text: string, secrets: readonly string[]): string {
  const wanted = [...new Set(secrets)].filter(secret => secret.length > 0).sort((a, b) => b.length - a.length)
  return wanted.reduce((hidden, secret) => hidden.replaceAll(secret, MASK), text)
}
