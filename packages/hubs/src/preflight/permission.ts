/** One thing a party must be allowed to do, as an API server is asked about it. Made from the rules it ships with. */
import type { PolicyRule } from '../rbac.ts'

export interface Permission {
  readonly verb: string
  /** Empty for the core group. */
  readonly group: string
  /** Plural name. */
  readonly resource: string
  readonly subresource?: string
  /** Absent: of any namespace, and of the cluster as a whole. */
  readonly namespace?: string
  /** Absent: of any name. */
  readonly name?: string
}

/** @param namespace where the rules are granted; undefined: everywhere */
export function permissionsOf(rules: readonly PolicyRule[], namespace?: string): Permission[] {
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
    apiGroups.flatMap(group =>
      resources.flatMap(kind => {
        const [resource = '', subresource] = kind.split('/')
        const of = { group, resource, ...(subresource && { subresource }), ...(namespace && { namespace }) }
        // A list of names grants each of them; whoever has one of the objects may do without the others.
        const names = resourceNames ?? [undefined]
        return verbs.flatMap(verb => names.map(name => ({ verb, ...of, ...(name && { name }) })))
      }),
    ),
  )
}

/** `delete leases.coordination.k8s.io in namespace hub1`, as `kubectl auth can-i` speaks. */
export function sayPermission({ verb, group, resource, subresource, namespace, name }: Permission): string {
  const kind = `${resource}${group && `.${group}`}${subresource ? `/${subresource}` : ''}`
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`
  return `${verb} ${kind}${name === undefined ? '' : ` ${name}`} ${where}`
}

export interface Lacking {
  /** For people: `agent of hub hub1`. */
  readonly party: string
  /** Where the permissions are missing: `hub hub1`, `the global hub`. */
  readonly server: string
  readonly missing: readonly Permission[]
  /** What grants them: a role of the shipped manifests. */
  readonly grantedBy: string
}

const SHOWN = 3

/** One sentence: what is missing, to whom, where, and what to do about it. */
export function sayLacking({ party, server, missing, grantedBy }: Lacking): string {
  const shown = missing.slice(0, SHOWN).map(sayPermission)
  const more = missing.length > SHOWN ? ` and ${missing.length - SHOWN} more` : ''
  return `the ${party} may not ${shown.join('; ')}${more} on ${server}: apply ${grantedBy} again`
}
