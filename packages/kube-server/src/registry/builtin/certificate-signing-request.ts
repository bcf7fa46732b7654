import { rfc3339 } from '@godwit/ports'
import { duplicateValue, invalidValue, requiredValue, unsupportedValue } from '../../api/causes.ts'
import { pathSegmentProblem } from '../../api/names.ts'
import type { JsonObject, KubeObject } from '../../api/object.ts'
import type { Cause } from '../../api/status-error.ts'
import { CertificateRequestError, parseCertificateRequest } from '../../pki/index.ts'
import { humanDuration } from '../../table/age.ts'
import { ageColumn, column, nameColumn } from '../../table/columns.ts'
import { defineBuiltin, statusOf } from '../define.ts'
import { bytes, integer, listOf, mapOf, record, strings, text, time } from '../openapi-types.ts'
import type { Draft, Resource, WriteContext } from '../resource.ts'
import { csrConditions, stampConditions, statusCauses, statusPart } from './csr-status.ts'

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

/** Of the first version of this API; anybody could have signed for it. */
const legacySigner = 'kubernetes.io/legacy-unknown'
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

function validate(draft: Draft, current: KubeObject | undefined, { subresource }: WriteContext): Cause[] {
  return current ? statusCauses(draft, current, subresource) : specCauses(draft)
}

function specCauses(draft: Draft): Cause[] {
  const spec = (draft['spec'] ?? {}) as CsrSpec
  const causes: Cause[] = []
  if (!spec.signerName) causes.push(requiredValue('spec.signerName'))
  else if (spec.signerName === legacySigner)
    causes.push(
      invalidValue('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'),
    )
  else if (!/^[a-z0-9.-]+\.[a-z0-9.-]+\/[A-Za-z0-9._-]+$/.test(spec.signerName))
    causes.push(
      invalidValue(
        'spec.signerName',
        spec.signerName,
        'must be a fully qualified domain and path of the form "example.com/signer-name"',
      ),
    )
  if (!spec.usages?.length) causes.push(requiredValue('spec.usages'))
  for (const [i, usage] of (spec.usages ?? []).entries()) {
    if (!usages.includes(usage)) causes.push(unsupportedValue(`spec.usages[${i}]`, usage, usages))
    if (spec.usages?.indexOf(usage) !== i) causes.push(duplicateValue(`spec.usages[${i}]`, usage))
  }
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

function conditionText(object: KubeObject): string {
  const types = csrConditions(object).map(one => one.type)
  const shown = ['Approved', 'Denied', 'Failed'].filter(type => types.includes(type))
  if (statusPart(object)['certificate']) shown.push('Issued')
  return shown.join(',') || 'Pending'
}

function requestedDuration(object: KubeObject): string {
  const { expirationSeconds } = (object['spec'] ?? {}) as CsrSpec
  return expirationSeconds === undefined ? '<none>' : humanDuration(expirationSeconds * 1000)
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
  allColumns: [
    nameColumn,
    ageColumn,
    column('SignerName', 'spec.signerName'),
    column('Requestor', 'spec.username'),
    column('RequestedDuration', requestedDuration),
    column('Condition', conditionText),
  ],
  strategy: { nameProblem: pathSegmentProblem, prepareCreate, prepareUpdate, validate },
})
