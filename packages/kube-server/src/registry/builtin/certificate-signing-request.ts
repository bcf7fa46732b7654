import { rfc3339 } from '@godwit/ports'
import { forbidden, invalidValue, requiredValue, unsupportedValue } from '../../api/causes.ts'
import { pathSegmentProblem } from '../../api/names.ts'
import type { JsonObject, KubeObject } from '../../api/object.ts'
import type { Cause } from '../../api/status-error.ts'
import { CertificateRequestError, parseCertificateRequest } from '../../pki/index.ts'
import { column } from '../../table/columns.ts'
import { defineBuiltin, statusOf } from '../define.ts'
import { bytes, integer, listOf, mapOf, record, strings, text, time } from '../openapi-types.ts'
import type { Draft, Resource, WriteContext } from '../resource.ts'

export interface CsrCondition extends JsonObject {
  type: string
  status: string
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

export interface CsrSpec extends JsonObject {
  request: string
  signerName: string
  usages?: string[]
  username?: string
  uid?: string
  groups?: string[]
  extra?: { [key: string]: string[] }
  expirationSeconds?: number
}

const decisions: readonly string[] = ['Approved', 'Denied']
const minExpirationSeconds = 600
const usages: readonly string[] = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

/** `status.conditions` of a request; empty when there are none. */
export function csrConditions(object: JsonObject | undefined): CsrCondition[] {
  const status = object?.['status'] as { conditions?: CsrCondition[] } | undefined
  return status?.conditions ?? []
}

const statusPart = (object: JsonObject) => (object['status'] ?? {}) as JsonObject

function prepareCreate(draft: Draft, { user }: WriteContext): void {
  const spec = { ...((draft['spec'] ?? {}) as JsonObject) }
  for (const field of ['username', 'uid', 'groups', 'extra']) delete spec[field]
  spec['username'] = user.name
  if (user.uid) spec['uid'] = user.uid
  if (user.groups.length > 0) spec['groups'] = [...user.groups]
  if (user.extra)
    spec['extra'] = Object.fromEntries(Object.entries(user.extra).map(([key, value]) => [key, [...value]]))
  draft['spec'] = spec
  delete draft['status']
}

/** The spec never changes. Conditions belong to `/approval` (decisions) and `/status`, the certificate to `/status`. */
function prepareUpdate(draft: Draft, current: KubeObject, { subresource, nowMs }: WriteContext): void {
  draft['spec'] = current['spec']
  const before = statusPart(current)
  if (subresource === '') setStatus(draft, before)
  else if (subresource === 'approval') setStatus(draft, { ...before, conditions: statusPart(draft)['conditions'] })
  stampConditions(draft, csrConditions(current), rfc3339(nowMs))
}

function setStatus(draft: Draft, status: JsonObject): void {
  const kept = Object.entries(status).filter(([, value]) => value !== undefined)
  if (kept.length > 0) draft['status'] = Object.fromEntries(kept)
  else delete draft['status']
}

function stampConditions(draft: Draft, before: readonly CsrCondition[], now: string): void {
  const sent = csrConditions(draft)
  if (sent.length === 0) return
  const known = new Map(before.map(one => [one.type, one]))
  const conditions = sent.map(condition => {
    const old = known.get(condition.type)
    const moved = !old || old.status !== condition.status
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? old?.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? (moved ? now : (old.lastTransitionTime ?? now)),
    }
  })
  draft['status'] = { ...statusPart(draft), conditions }
}

function validate(draft: Draft, current: KubeObject | undefined, { subresource }: WriteContext): Cause[] {
  return current ? updateCauses(draft, current, subresource) : specCauses(draft)
}

function specCauses(draft: Draft): Cause[] {
  const spec = (draft['spec'] ?? {}) as CsrSpec
  const causes: Cause[] = []
  if (!spec.signerName) causes.push(requiredValue('spec.signerName'))
  else if (!/^[a-z0-9.-]+\.[a-z0-9.-]+\/[A-Za-z0-9._-]+$/.test(spec.signerName))
    causes.push(
      invalidValue(
        'spec.signerName',
        spec.signerName,
        'must be a fully qualified domain and path of the form "example.com/signer-name"',
      ),
    )
  if (!spec.usages?.length) causes.push(requiredValue('spec.usages'))
  for (const [i, usage] of (spec.usages ?? []).entries())
    if (!usages.includes(usage)) causes.push(unsupportedValue(`spec.usages[${i}]`, usage, usages))
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < minExpirationSeconds)
    causes.push(
      invalidValue(
        'spec.expirationSeconds',
        spec.expirationSeconds,
        `may not specify a duration less than ${minExpirationSeconds} seconds (10 minutes)`,
      ),
    )
  const problem = requestProblem(spec.request ?? '')
  if (problem) causes.push(invalidValue('spec.request', spec.request ?? '', problem))
  return causes
}

function requestProblem(base64: string): string | undefined {
  try {
    parseCertificateRequest(Buffer.from(base64, 'base64').toString('utf8'))
    return undefined
  } catch (error) {
    if (!(error instanceof CertificateRequestError)) throw error
    const pem = Buffer.from(base64, 'base64').toString('utf8')
    return pem.includes('-----BEGIN CERTIFICATE REQUEST-----')
      ? error.message
      : 'PEM block type must be CERTIFICATE REQUEST'
  }
}

function updateCauses(draft: Draft, current: KubeObject, subresource: string): Cause[] {
  const causes: Cause[] = []
  const [before, after] = [csrConditions(current), csrConditions(draft)]
  for (const type of decisions) {
    const had = before.some(one => one.type === type)
    const has = after.some(one => one.type === type)
    if (had && !has)
      causes.push(forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`))
    if (!had && has && subresource === 'status')
      causes.push(forbidden('status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`))
  }
  if (decisions.every(type => after.some(one => one.type === type)))
    causes.push(invalidValue('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'))
  for (const [i, one] of after.entries()) {
    if (!one.type) causes.push(requiredValue(`status.conditions[${i}].type`))
    if ((decisions.includes(one.type) || one.type === 'Failed') && one.status !== 'True')
      causes.push(unsupportedValue(`status.conditions[${i}].status`, one.status ?? '', ['True']))
  }
  const certificate = (object: JsonObject) => statusPart(object)['certificate']
  if (certificate(current) !== undefined && certificate(draft) !== certificate(current))
    causes.push(invalidValue('status.certificate', '', 'field is immutable'))
  return causes
}

function conditionText(object: KubeObject): string {
  const types = csrConditions(object).map(one => one.type)
  const shown = ['Approved', 'Denied', 'Failed'].filter(type => types.includes(type))
  if (statusPart(object)['certificate']) shown.push('Issued')
  return shown.join(',') || 'Pending'
}

export const certificateSigningRequests: Resource = defineBuiltin({
  group: 'certificates.k8s.io',
  plural: 'certificatesigningrequests',
  kind: 'CertificateSigningRequest',
  clusterScoped: true,
  shortNames: ['csr'],
  subresources: [
    statusOf('CertificateSigningRequest'),
    { name: 'approval', kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] },
  ],
  description: 'CertificateSigningRequest asks a signer for a certificate.',
  fields: {
    spec: record(
      {
        request: bytes,
        signerName: text,
        expirationSeconds: integer,
        usages: strings,
        username: text,
        uid: text,
        groups: strings,
        extra: mapOf(strings),
      },
      ['request', 'signerName'],
    ),
    status: record({
      conditions: listOf(
        record({
          type: text,
          status: text,
          reason: text,
          message: text,
          lastUpdateTime: time,
          lastTransitionTime: time,
        }),
      ),
      certificate: bytes,
    }),
  },
  selectable: ['spec.signerName'],
  columns: [
    column('SignerName', 'spec.signerName'),
    column('Requestor', 'spec.username'),
    column('Condition', conditionText),
  ],
  strategy: { nameProblem: pathSegmentProblem, prepareCreate, prepareUpdate, validate },
})
