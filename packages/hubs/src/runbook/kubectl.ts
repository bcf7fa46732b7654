/** Commands that a person can paste; contexts of kubectl are called like the hubs. Never holds a secret. */
import type { Resource } from '@godwit/kube'

/** Name of the context of the global hub in commands. */
export const GLOBAL_HUB = 'global-hub'

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/
const quote = (text: string) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

export interface Target {
  readonly hub: string
  readonly resource: Resource
  readonly name: string
  readonly namespace?: string
}

const kindOf = ({ plural, group }: Resource) => (group ? `${plural}.${group}` : plural)

/** One command line; each word is quoted where the shell needs it. */
export function kubectl({ hub, resource, name, namespace }: Target, verb: string, ...words: readonly string[]): string {
  const where = namespace === undefined ? [] : ['-n', namespace]
  return ['kubectl', '--context', hub, ...where, verb, kindOf(resource), name, ...words].map(quote).join(' ')
}

export const remove = (target: Target) => kubectl(target, 'delete', '--ignore-not-found', '--wait=false')
export const patch = (target: Target, body: object) =>
  kubectl(target, 'patch', '--type=merge', '-p', JSON.stringify(body))

/** @param wanted null takes an annotation away */
export const annotate = (target: Target, wanted: Readonly<Record<string, string | null>>) =>
  kubectl(
    target,
    'annotate',
    '--overwrite',
    ...Object.entries(wanted).map(([key, value]) => (value === null ? `${key}-` : `${key}=${value}`)),
  )

/** For what only the agent can do, and for whoever reads: a line that the shell ignores. */
export const note = (text: string) => `# ${text}`
