/** Values without their secrets, for everybody but the site that needs them to take a subcloud in (H19). Pure. */

/** Also names of members that nobody has thought of yet: what sounds like a secret is one. */
const SECRET_NAME =
  /password|passphrase|passwd|(^|_)pass(_|$)|(^|_)pwd(_|$)|secret|token|credential|private|api_?key|(^|_)key$|_auth$/i
/** Credentials inside an address. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/

/** Leaves members that hold secrets out, at every depth. For many values with the same members: each name is judged once. */
export function redactor(): (value: unknown) => unknown {
  const judged = new Map<string, boolean>()
  const isSecret = (name: string) => {
    const known = judged.get(name)
    if (known !== undefined) return known
    const isOne = isSecretName(name)
    judged.set(name, isOne)
    return isOne
  }
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return cleanText(value)
    if (Array.isArray(value)) return value.map(clean)
    if (typeof value !== 'object' || value === null) return value
    const members: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(value)) if (!isSecret(name)) members[name] = clean(member)
    return members
  }
  return clean
}

function cleanText(text: string): string {
  if (text.includes('-----BEGIN') && PRIVATE_KEY.test(text)) return ''
  return text.includes('://') ? text.replace(USER_INFO, '$1') : text
}

export const isSecretName = (name: string) => SECRET_NAME.test(name)
