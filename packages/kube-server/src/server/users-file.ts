import { parse } from 'yaml'
import type { StaticUser } from '../auth/index.ts'

/** Shorter tokens can be guessed. */
const minTokenLength = 16

/**
 * Reads users from YAML or JSON: a list of `{name, token, groups?, uid?}`. Throws an Error that names the entry and
 * what is wrong with it, never the token.
 */
export function parseUsers(text: string): StaticUser[] {
  const list: unknown = parse(text)
  if (!Array.isArray(list)) throw new Error('users must be a list of {name, token, groups}')
  const users = list.map((entry: unknown, i) => parseUser(entry, `user ${i + 1}`))
  for (const [i, { name }] of users.entries())
    if (name === 'admin' || users.findIndex(other => other.name === name) !== i)
      throw new Error(`user ${i + 1}: the name ${JSON.stringify(name)} is taken`)
  return users
}

function parseUser(entry: unknown, at: string): StaticUser {
  if (entry === null || typeof entry !== 'object') throw new Error(`${at}: must be {name, token, groups}`)
  const { name, token, groups = [], uid } = entry as Readonly<Record<string, unknown>>
  if (typeof name !== 'string' || name === '') throw new Error(`${at}: name must be a text`)
  if (typeof token !== 'string' || token.length < minTokenLength || /\s/.test(token))
    throw new Error(`${at}: token must be a text of at least ${minTokenLength} characters without spaces`)
  if (!Array.isArray(groups) || !groups.every(group => typeof group === 'string'))
    throw new Error(`${at}: groups must be a list of texts`)
  if (uid !== undefined && typeof uid !== 'string') throw new Error(`${at}: uid must be a text`)
  return { name, token, groups, ...(uid !== undefined && { uid }) }
}
