/** Faults a test can switch on: what real servers and networks do to clients now and then. */

/** Which requests a fault strikes; what is left out does not matter. */
export interface FaultTarget {
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verbs?: readonly string[]
  /** Plurals, `plural/subresource` or `plural.group`. Without slash they strike the main endpoint only. */
  readonly resources?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly names?: readonly string[]
  /** User names. */
  readonly users?: readonly string[]
}

export type FaultEffect =
  /** Answers an error. `applied`: the write happens all the same, only the answer lies. */
  | {
      readonly kind: 'status'
      readonly code: 401 | 403 | 409 | 429 | 500 | 502 | 503 | 504
      readonly retryAfterSeconds?: number
      readonly applied?: boolean
    }
  /** Never answers. `applied`: after doing what was asked. */
  | { readonly kind: 'silence'; readonly applied: boolean }
  /** Closes the connection without an answer. */
  | { readonly kind: 'cut'; readonly applied: boolean }
  /** Waits before doing anything. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Gets and lists show a state this many versions old, as far back as history reaches. */
  | { readonly kind: 'stale'; readonly versions: number }
  /** A watch ends, breaks or tells that its version is gone after so many events. */
  | { readonly kind: 'end-watch'; readonly afterEvents: number; readonly how: 'end' | 'cut' | 'expire' }
  /** A watch stays open and says nothing more after so many events. */
  | { readonly kind: 'stall-watch'; readonly afterEvents: number }
  /** Watch events arrive late, in order. */
  | { readonly kind: 'delay-watch'; readonly delayMs: number }

export interface FaultRule extends FaultTarget {
  readonly effect: FaultEffect
  /** Lets the first so many matching requests pass. */
  readonly skip?: number
  /** Strikes at most so often; default without limit. */
  readonly count?: number
  /** Chance of each strike; default 1. */
  readonly probability?: number
}

/** A request as rules see it. */
export interface FaultSubject {
  readonly verb: string
  readonly plural: string
  readonly group: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly user: string
}

export function isStruck(target: FaultTarget, subject: FaultSubject): boolean {
  const { verbs, resources, namespaces, names, users } = target
  return (
    (verbs?.includes(subject.verb) ?? true) &&
    (namespaces?.includes(subject.namespace) ?? true) &&
    (names?.includes(subject.name) ?? true) &&
    (users?.includes(subject.user) ?? true) &&
    (resources?.some(resource => isResource(resource, subject)) ?? true)
  )
}

function isResource(wanted: string, { plural, group, subresource }: FaultSubject): boolean {
  const [resource = '', part = ''] = wanted.split('/')
  return (resource === plural || resource === `${plural}.${group}`) && part === subresource
}
