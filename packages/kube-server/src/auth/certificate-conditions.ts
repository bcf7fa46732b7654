/** Validity of CertificateSigningRequests and of the steps their conditions may take. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { forbidden, invalidValue, requiredValue, unsupportedValue } from '../api/causes.ts'
import type { Json, JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import { CertificateRequestError, parseCertificateRequest } from '../pki/index.ts'
import { objectOf } from './rbac-objects.ts'

const MIN_SECONDS = 600

const knownUsages: ReadonlySet<string> = new Set([
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
])

export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** PEM text of `spec.request`; undefined when it is not base64. */
export function decodeRequest(spec: JsonObject): string | undefined {
  const encoded = textOf(spec['request'])
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '') ? bytes.toString('utf8') : undefined
}

/** Conditions of one type. */
export function conditionsOf(status: JsonObject, type: string): JsonObject[] {
  const { conditions } = status
  return Array.isArray(conditions) ? conditions.map(objectOf).filter(condition => condition['type'] === type) : []
}

/** Whether a signer has nothing left to do. */
export const isSettled = (status: JsonObject) =>
  textOf(status['certificate']) !== '' || conditionsOf(status, 'Failed').length > 0

function requestCauses(spec: JsonObject): Cause[] {
  try {
    parseCertificateRequest(decodeRequest(spec) ?? '')
    return []
  } catch (error) {
    if (!(error instanceof CertificateRequestError)) throw error
    return [invalidValue('spec.request', spec['request'] ?? '', error.message)]
  }
}

function usageCauses(usages: Json | undefined): Cause[] {
  if (!Array.isArray(usages) || usages.length === 0) return [requiredValue('spec.usages')]
  return usages
    .map(textOf)
    .flatMap((usage, index) =>
      knownUsages.has(usage) ? [] : [unsupportedValue(`spec.usages[${index}]`, usage, [...knownUsages])],
    )
}

function signerCauses(spec: JsonObject): Cause[] {
  const signerName = textOf(spec['signerName'])
  const field = 'spec.signerName'
  if (signerName === '') return [requiredValue(field)]
  if (signerName === 'kubernetes.io/legacy-unknown') {
    return [invalidValue(field, signerName, 'the legacy signerName is not allowed via this API version')]
  }
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[^/]+$/.test(signerName)) return []
  return [
    invalidValue(field, signerName, 'must be a fully qualified domain and path of the form "example.com/signer-name"'),
  ]
}

function expirationCauses(seconds: Json | undefined): Cause[] {
  if (typeof seconds !== 'number' || seconds >= MIN_SECONDS) return []
  return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 600 seconds')]
}

function conditionCauses(status: JsonObject): Cause[] {
  const conditions = Array.isArray(status['conditions']) ? status['conditions'].map(objectOf) : []
  const seen = new Set<string>()
  const causes: Cause[] = []
  for (const [index, condition] of conditions.entries()) {
    const at = `status.conditions[${index}]`
    const type = textOf(condition['type'])
    const state = textOf(condition['status'])
    if (type === '') causes.push(requiredValue(`${at}.type`))
    if (state === '') causes.push(requiredValue(`${at}.status`))
    else if (['Approved', 'Denied', 'Failed'].includes(type) && state !== 'True') {
      causes.push(unsupportedValue(`${at}.status`, state, ['True']))
    }
    if (seen.has(type))
      causes.push({
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(type)}`,
        field: `${at}.type`,
      })
    seen.add(type)
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : ''
    if (opposite && seen.has(opposite)) {
      causes.push(invalidValue(`${at}.type`, type, 'Approved and Denied conditions are mutually exclusive'))
    }
  }
  return causes
}

/** Causes for a new request (v1). */
export function validateRequest(csr: JsonObject): Cause[] {
  const spec = objectOf(csr['spec'])
  return [
    ...requestCauses(spec),
    ...usageCauses(spec['usages']),
    ...signerCauses(spec),
    ...expirationCauses(spec['expirationSeconds']),
    ...conditionCauses(objectOf(csr['status'])),
  ]
}

export type RequestEndpoint = 'main' | 'approval' | 'status'

function decidedCauses(type: string, before: JsonObject, after: JsonObject, endpoint: RequestEndpoint): Cause[] {
  const old = conditionsOf(before, type)
  const fresh = conditionsOf(after, type)
  const refuse = (what: string) => [
    forbidden('status.conditions', `updates may not ${what} a condition of type "${type}"`),
  ]
  if (fresh.length < old.length) return refuse('remove')
  if (endpoint !== 'status' || type === 'Failed') return []
  if (fresh.length > old.length) return refuse('add')
  return isDeepStrictEqual(fresh, old) ? [] : refuse('modify')
}

function certificateCauses(before: JsonObject, after: JsonObject, endpoint: RequestEndpoint): Cause[] {
  const old = textOf(before['certificate'])
  const fresh = textOf(after['certificate'])
  if (old === fresh) return []
  if (old !== '') return [forbidden('status.certificate', 'updates may not modify existing certificate content')]
  return endpoint === 'status' ? [] : [forbidden('status.certificate', 'updates may not set certificate content')]
}

/** Causes for an update; hand in what `keepForEndpoint` returned. */
export function validateRequestUpdate(next: JsonObject, previous: JsonObject, endpoint: RequestEndpoint): Cause[] {
  const before = objectOf(previous['status'])
  const after = objectOf(next['status'])
  return [
    ...['Approved', 'Denied', 'Failed'].flatMap(type => decidedCauses(type, before, after, endpoint)),
    ...certificateCauses(before, after, endpoint),
    ...conditionCauses(after),
  ]
}

/** Fills in the times of conditions: an old transition stays while the status does. */
function withTimes(after: JsonObject, before: JsonObject, nowText: string): JsonObject {
  if (!Array.isArray(after['conditions'])) return after
  const conditions = after['conditions'].map(objectOf).map(condition => {
    const same = conditionsOf(before, textOf(condition['type'])).find(old => old['status'] === condition['status'])
    return {
      ...condition,
      lastUpdateTime: condition['lastUpdateTime'] ?? nowText,
      lastTransitionTime: condition['lastTransitionTime'] ?? same?.['lastTransitionTime'] ?? nowText,
    }
  })
  return { ...after, conditions }
}

/**
 * What an update through one endpoint may change of the stored object, the rest silently kept: spec never, status by
 * `/status`, conditions alone by `/approval`, neither by the main endpoint. Returns the new spec and status.
 */
export function keepForEndpoint(
  next: JsonObject,
  previous: JsonObject,
  endpoint: RequestEndpoint,
  nowText: string,
): { spec: JsonObject; status: JsonObject } {
  const spec = objectOf(previous['spec'])
  const before = objectOf(previous['status'])
  const after = objectOf(next['status'])
  if (endpoint === 'main') return { spec, status: before }
  if (endpoint === 'status') return { spec, status: withTimes(after, before, nowText) }
  const { conditions } = after
  return { spec, status: withTimes({ ...before, ...(conditions !== undefined && { conditions }) }, before, nowText) }
}
