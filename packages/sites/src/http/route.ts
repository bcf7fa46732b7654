import type { Sql } from '@godwit/store'
import type { z } from 'zod'
import type { Identity, Policy } from '../auth/policies.ts'
import type { Form } from './form.ts'

export interface Asked {
  readonly caller: Identity
  /** What stands in the place of `:ref`; empty when the path has none. */
  readonly ref: string
  readonly query: URLSearchParams
  /** Parsed JSON; undefined when there was none, or it was malformed. */
  readonly body: unknown
  /** Parts of a multipart body; empty when it was none. */
  readonly form: Form
}

export interface Call extends Asked {
  /** The whole call is one transaction: a refusal changes nothing. */
  readonly sql: Sql
}

/** Runs again when it lost against another transaction: outside of the database the work may change nothing. */
export type Transact = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>

interface RouteBasis {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** `:ref` stands for anything, `*` too, which nobody reads. */
  readonly path: readonly string[]
  readonly policy: Policy
  /** One line for the document of the API. */
  readonly summary: string
  /** Of the JSON body, or of the fields of the form. */
  readonly request?: z.ZodType
  /** The names of the files of a form; left out when the body is JSON. */
  readonly files?: readonly string[]
  /** Descriptions of parameters of the query, by name. */
  readonly query?: Readonly<Record<string, string>>
  readonly answer?: z.ZodType
}

export interface SimpleRoute extends RouteBasis {
  /** @returns the body of the answer, which is always 200 @throws Refusal */
  handle(call: Call): Promise<unknown>
}

/** Asks others between transactions, or waits for somebody after one. */
export interface LongRoute extends RouteBasis {
  serve(asked: Asked, transact: Transact): Promise<unknown>
}

export type Route = SimpleRoute | LongRoute

export type Found = { readonly route: Route; readonly ref: string } | 'no path' | 'no method'

export function findRoute(routes: readonly Route[], method: string, parts: readonly string[]): Found {
  const matching = routes.filter(
    ({ path }) =>
      path.length === parts.length &&
      path.every((part, index) => part === ':ref' || part === '*' || part === parts[index]),
  )
  const route = matching.find(candidate => candidate.method === method)
  if (!route) return matching.length > 0 ? 'no method' : 'no path'
  return { route, ref: parts[route.path.indexOf(':ref')] ?? '' }
}
