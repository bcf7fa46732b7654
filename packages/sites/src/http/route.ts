import type { Sql } from '@godwit/store'
import type { Identity, Policy } from '../auth/policies.ts'

export interface Call {
  /** The whole call is one transaction: a refusal changes nothing. */
  readonly sql: Sql
  readonly caller: Identity
  /** What stands in the place of `:ref`; empty when the path has none. */
  readonly ref: string
  /** Parsed JSON; undefined when there was none, or it was malformed. */
  readonly body: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: readonly string[]
  readonly policy: Policy
  /** @returns the body of the answer, which is always 200 @throws Refusal */
  handle(call: Call): Promise<unknown>
}

export type Found = { readonly route: Route; readonly ref: string } | 'no path' | 'no method'

export function findRoute(routes: readonly Route[], method: string, parts: readonly string[]): Found {
  const matching = routes.filter(
    ({ path }) => path.length === parts.length && path.every((part, index) => part === ':ref' || part === parts[index]),
  )
  const route = matching.find(candidate => candidate.method === method)
  if (!route) return matching.length > 0 ? 'no method' : 'no path'
  return { route, ref: parts[route.path.indexOf(':ref')] ?? '' }
}
