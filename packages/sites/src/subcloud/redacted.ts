/** Values without their secrets, for everybody but the site that needs them to take a subcloud in (H19). Pure. */

/** Also names of members that nobody has thought of yet: what sounds like a secret is one. */
const SECRET_NAME = /pass(w|_|$|phrase)|passwd|pwd|secret|token|credential|private|api_?key|(^|_)key$|_auth$/i
/** Credentials inside an address. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/

/** Members that hold secrets are left out at every depth. */
export function redacted(value: unknown): unknown {
  if (typeof value === 'string') return PRIVATE_KEY.test(value) ? '' : value.replace(USER_INFO, '$1')
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isSecretName(name))
      .map(([name, member]) => [name, redacted(member)]),
  )
}

export const isSecretName = (name: string) => SECRET_NAME.test(name)
