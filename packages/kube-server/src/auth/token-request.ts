/** The `token` subresource of ServiceAccounts. */
import { rfc3339 } from '@godwit/ports'
import { invalidValue, requiredValue } from '../api/causes.ts'
import type { JsonObject } from '../api/object.ts'
import { badRequest, type Cause, conflict, notFound } from '../api/status-error.ts'
import type { Store, Stored } from '../store/types.ts'
import { objectOf } from './rbac-objects.ts'
import { assertValid, objectAt, type ReviewKind, specOf, stringAt, stringsAt } from './review-body.ts'
import type { BoundObject } from './service-account-claims.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'

const tokenRequestKind: ReviewKind = Object.freeze({
  group: 'authentication.k8s.io',
  kind: 'TokenRequest',
  plural: 'tokenrequests',
})
const DEFAULT_SECONDS = 3600
const MIN_SECONDS = 600
const MAX_SECONDS = 2 ** 32

const plurals: ReadonlyMap<string, { kind: BoundObject['kind']; plural: string }> = new Map([
  ['Pod', { kind: 'Pod', plural: 'pods' } as const],
  ['Secret', { kind: 'Secret', plural: 'secrets' } as const],
  ['Node', { kind: 'Node', plural: 'nodes' } as const],
])

export interface TokenRequestContext {
  readonly store: Store
  readonly tokens: ServiceAccountTokens
  readonly namespace: string
  /** Name of the ServiceAccount in the path. */
  readonly name: string
  readonly nowMs: number
  /** Checks everything and issues nothing. */
  readonly isDryRun?: boolean
}

/** Answers a TokenRequest for an existing ServiceAccount. Throws 400, 404, 409 or 422. */
export function requestToken(body: JsonObject, context: TokenRequestContext): JsonObject {
  const { store, tokens, namespace, name, nowMs } = context
  const metadata = objectAt(body, 'metadata', 'body') ?? {}
  assertMetadata(metadata, namespace, name)
  const serviceAccount = store.get({ collection: 'serviceaccounts', namespace, name })
  if (!serviceAccount) throw notFound({ group: '', plural: 'serviceaccounts', kind: 'ServiceAccount', name })
  const spec = specOf(body)
  const expirationSeconds = readExpiration(spec, name)
  const audiences = stringsAt(spec, 'audiences', 'spec')
  const bound = readBound(spec, context, serviceAccount)
  const effective = audiences.length > 0 ? audiences : [...tokens.audiences]
  const issued = context.isDryRun
    ? { token: '', expiresAtMs: nowMs + expirationSeconds * 1000 }
    : tokens.issue({ serviceAccount, expirationSeconds, audiences: effective, ...(bound && { bound }) })
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { ...metadata, name, namespace, creationTimestamp: rfc3339(nowMs) },
    spec: { audiences: effective, expirationSeconds, boundObjectRef: spec['boundObjectRef'] ?? null },
    status: { token: issued.token, expirationTimestamp: rfc3339(issued.expiresAtMs) },
  }
}

function assertMetadata(metadata: JsonObject, namespace: string, name: string): void {
  const told = stringAt(metadata, 'name', 'metadata')
  if (told && told !== name) {
    throw badRequest(`the name of the object (${told}) does not match the name on the URL (${name})`)
  }
  const home = stringAt(metadata, 'namespace', 'metadata')
  if (home && home !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

function readExpiration(spec: JsonObject, name: string): number {
  const asked = spec['expirationSeconds'] ?? DEFAULT_SECONDS
  const field = 'spec.expirationSeconds'
  if (typeof asked !== 'number' || !Number.isInteger(asked)) throw badRequest(`cannot decode ${field}: want integer`)
  const causes: Cause[] = []
  if (asked < MIN_SECONDS) causes.push(invalidValue(field, asked, 'may not specify a duration less than 10 minutes'))
  if (asked > MAX_SECONDS) {
    causes.push(invalidValue(field, asked, 'may not specify a duration larger than 2^32 seconds'))
  }
  assertValid(tokenRequestKind, causes, name)
  return asked
}

function readBound(
  spec: JsonObject,
  { store, namespace, name }: TokenRequestContext,
  serviceAccount: Stored,
): BoundObject | undefined {
  const ref = objectAt(spec, 'boundObjectRef', 'spec')
  if (ref === undefined) return undefined
  const at = 'spec.boundObjectRef'
  const kind = stringAt(ref, 'kind', at)
  const wanted = stringAt(ref, 'name', at)
  const known = stringAt(ref, 'apiVersion', at) === 'v1' ? plurals.get(kind) : undefined
  if (!known) throw badRequest(`cannot bind token for serviceaccount "${name}" to object of type ${kind || '""'}`)
  if (!wanted) assertValid(tokenRequestKind, [requiredValue(`${at}.name`)], name)
  const home = known.kind === 'Node' ? '' : namespace
  const stored = store.get({ collection: known.plural, namespace: home, name: wanted })
  const subject = { group: '', plural: known.plural, kind: known.kind, name: wanted }
  if (!stored) throw notFound(subject)
  const { uid } = stored.object.metadata
  const toldUid = stringAt(ref, 'uid', at)
  if (toldUid && toldUid !== uid) {
    throw conflict(
      subject,
      `the UID in the bound object reference (${toldUid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  if (known.kind === 'Pod') assertRunsAs(stored, serviceAccount.key.name)
  return { kind: known.kind, name: wanted, uid }
}

function assertRunsAs(pod: Stored, name: string): void {
  if (objectOf(pod.object['spec'])['serviceAccountName'] === name) return
  throw badRequest(`cannot bind token for serviceaccount "${name}" to pod running with different serviceaccount name.`)
}
