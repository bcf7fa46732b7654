/** CertificateSigningRequests: who may approve and sign, and when the built-in signer signs. Decides; writes nothing. */
import type { Json, JsonObject } from '../api/object.ts'
import type { User } from '../api/user.ts'
import { CertificateRequestError, parseCertificateRequest } from '../pki/index.ts'
import { type Authorizer, forbiddenBecause } from './access.ts'
import { objectOf } from './rbac-objects.ts'
import { mastersGroup } from './well-known.ts'

const certificatesGroup = 'certificates.k8s.io'
const plural = 'certificatesigningrequests'
export const clientSigner = 'kubernetes.io/kube-apiserver-client'

/** As long as a real cluster signs; requests may ask for less. */
const MAX_SECONDS = 365 * 86_400
const MIN_SECONDS = 600

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** PEM text of `spec.request`. */
const requestPemOf = (spec: JsonObject) => Buffer.from(textOf(spec['request']), 'base64').toString('utf8')

/** Conditions of one type. */
function conditionsOf(status: JsonObject, type: string): JsonObject[] {
  const { conditions } = status
  return Array.isArray(conditions) ? conditions.map(objectOf).filter(condition => condition['type'] === type) : []
}

/** Whether a signer has nothing left to do. */
const isSettled = (status: JsonObject) =>
  textOf(status['certificate']) !== '' || conditionsOf(status, 'Failed').length > 0

function mayUseSigner(authorizer: Authorizer, user: User, verb: 'approve' | 'sign', signerName: string): boolean {
  const allows = (name: string) =>
    authorizer.authorize({ user, verb, group: certificatesGroup, resource: 'signers', name }).allowed
  // `domain/*` stands for all signers of a domain.
  return allows(signerName) || allows(`${signerName.split('/')[0]}/*`)
}

function assertSigner(options: SignerUse, verb: 'approve' | 'sign'): void {
  const signerName = textOf(objectOf(options.csr['spec'])['signerName'])
  if (mayUseSigner(options.authorizer, options.user, verb, signerName)) return
  throw forbiddenBecause(
    { group: certificatesGroup, plural, name: textOf(objectOf(options.csr['metadata'])['name']) },
    `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`,
  )
}

export interface SignerUse {
  readonly authorizer: Authorizer
  readonly user: User
  /** The stored request. */
  readonly csr: JsonObject
}

/** Throws 403 unless the user may approve (or deny) for this request's signer: for each write to `/approval`. */
export function assertMayApprove(options: SignerUse): void {
  assertSigner(options, 'approve')
}

/** Throws 403 unless the user may sign for this request's signer, where `/status` changes certificate or Failed. */
export function assertMaySign(options: SignerUse, next: JsonObject): void {
  const before = objectOf(options.csr['status'])
  const after = objectOf(next['status'])
  const failed = (status: JsonObject) => JSON.stringify(conditionsOf(status, 'Failed'))
  const isSame = before['certificate'] === after['certificate'] && failed(before) === failed(after)
  if (!isSame) assertSigner(options, 'sign')
}

/** Throws 403 when a request to the client signer wants to be a master: nobody could be refused anything afterwards. */
export function assertSubjectAllowed(csr: JsonObject): void {
  const spec = objectOf(csr['spec'])
  if (spec['signerName'] !== clientSigner) return
  const request = readRequest(spec)
  if (!request?.subject.organizations.includes(mastersGroup)) return
  throw forbiddenBecause(
    { group: certificatesGroup, plural, name: textOf(objectOf(csr['metadata'])['name']) },
    `use of ${clientSigner} signer with ${mastersGroup} group is not allowed`,
  )
}

function readRequest(spec: JsonObject) {
  try {
    return parseCertificateRequest(requestPemOf(spec))
  } catch (error) {
    if (error instanceof CertificateRequestError) return undefined
    throw error
  }
}

export type SigningDecision =
  | { readonly do: 'nothing' }
  /** To be added to status.conditions by the signer. */
  | { readonly do: 'fail'; readonly reason: string; readonly message: string }
  | {
      readonly do: 'sign'
      readonly requestPem: string
      readonly usages: readonly string[]
      readonly ttlSeconds: number
    }

const CLIENT_USAGES = Object.freeze(['client auth', 'digital signature', 'key encipherment'])

function problemOf(spec: JsonObject, usages: readonly string[]): string | undefined {
  const request = readRequest(spec)
  if (!request) return 'unable to parse csr'
  if (usages.includes('client auth') && usages.every(usage => CLIENT_USAGES.includes(usage))) return undefined
  return `usages did not match expected usages: ${CLIENT_USAGES.join(', ')}`
}

/** What the built-in client signer does about a stored request now. Pure. */
export function signingDecision(csr: JsonObject): SigningDecision {
  const spec = objectOf(csr['spec'])
  const status = objectOf(csr['status'])
  const isApproved = conditionsOf(status, 'Approved').length > 0 && conditionsOf(status, 'Denied').length === 0
  if (spec['signerName'] !== clientSigner || !isApproved || isSettled(status)) return { do: 'nothing' }
  const usages = Array.isArray(spec['usages']) ? spec['usages'].map(String) : []
  const message = problemOf(spec, usages)
  if (message !== undefined) return { do: 'fail', reason: 'SignerValidationFailure', message }
  const asked = typeof spec['expirationSeconds'] === 'number' ? spec['expirationSeconds'] : MAX_SECONDS
  const ttlSeconds = Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, asked))
  return { do: 'sign', requestPem: requestPemOf(spec), usages, ttlSeconds }
}
