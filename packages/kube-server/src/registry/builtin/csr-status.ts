/** The status of certificate requests: who may add, change or take away which condition, and what a certificate looks like. */
import { X509Certificate } from 'node:crypto'
import { duplicateValue, forbidden, invalidValue, requiredValue, unsupportedValue } from '../../api/causes.ts'
import type { JsonObject } from '../../api/object.ts'
import type { Cause } from '../../api/status-error.ts'
import { sameJson } from '../../patch/index.ts'

export interface CsrCondition extends JsonObject {
  type: string
  status: string
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

const decisions: readonly string[] = ['Approved', 'Denied']
const final: readonly string[] = [...decisions, 'Failed']
const anyStatus: readonly string[] = ['False', 'True', 'Unknown']
const at = 'status.conditions'

export const statusPart = (object: JsonObject | undefined) => (object?.['status'] ?? {}) as JsonObject

/** `status.conditions` of a request; empty when there are none. */
export function csrConditions(object: JsonObject | undefined): CsrCondition[] {
  return (statusPart(object)['conditions'] ?? []) as CsrCondition[]
}

/** Fills in the times that a client left out, in place. `now` is RFC 3339. */
export function stampConditions(draft: JsonObject, before: readonly CsrCondition[], now: string): void {
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

/** What an update of a request may not do to its status. `subresource` is empty on the main endpoint. */
export function statusCauses(draft: JsonObject, current: JsonObject, subresource: string): Cause[] {
  const [before, after] = [csrConditions(current), csrConditions(draft)]
  return [
    ...conditionCauses(after),
    ...certificateCauses(statusPart(draft)['certificate'], statusPart(current)['certificate']),
    ...final.flatMap(type => transitionCauses(type, before, after, subresource)),
  ]
}

function conditionCauses(conditions: readonly CsrCondition[]): Cause[] {
  const causes: Cause[] = []
  const seen = new Set<string>()
  for (const [i, { type, status }] of conditions.entries()) {
    if (!type) causes.push(requiredValue(`${at}[${i}].type`))
    const allowed = final.includes(type) ? ['True'] : anyStatus
    if (!status) causes.push(requiredValue(`${at}[${i}].status`))
    else if (!allowed.includes(status)) causes.push(unsupportedValue(`${at}[${i}].status`, status, allowed))
    if (decisions.includes(type) && decisions.some(one => one !== type && seen.has(one)))
      causes.push(invalidValue(`${at}[${i}].type`, type, 'Approved and Denied conditions are mutually exclusive'))
    if (seen.has(type)) causes.push(duplicateValue(`${at}[${i}].type`, type))
    seen.add(type)
  }
  return causes
}

/** Final conditions stay; decisions come and change through `/approval` alone. */
function transitionCauses(
  type: string,
  before: readonly CsrCondition[],
  after: readonly CsrCondition[],
  subresource: string,
): Cause[] {
  const had = before.filter(one => one.type === type)
  const has = after.filter(one => one.type === type)
  const named = `a condition of type ${JSON.stringify(type)}`
  if (has.length < had.length) return [forbidden(at, `updates may not remove ${named}`)]
  if (subresource === 'approval' || !decisions.includes(type)) return []
  if (has.length > had.length) return [forbidden(at, `updates may not add ${named}`)]
  return sameJson(has, had) ? [] : [forbidden(at, `updates may not modify ${named}`)]
}

function certificateCauses(after: JsonObject[string], before: JsonObject[string]): Cause[] {
  if (after === before) return []
  const field = 'status.certificate'
  const problem = after === undefined ? undefined : certificateProblem(String(after))
  return [
    ...(problem === undefined ? [] : [invalidValue(field, '<certificate data>', problem)]),
    ...(before === undefined ? [] : [forbidden(field, 'updates may not modify existing certificate content')]),
  ]
}

/** Why these bytes (base64 of PEM) are no chain of certificates; undefined when they are one. */
function certificateProblem(base64: string): string | undefined {
  const pem = Buffer.from(base64, 'base64').toString('utf8')
  const blocks = [...pem.matchAll(/-----BEGIN ([^-\n]*)-----\n([^-]*)-----END \1-----/g)]
  if (blocks.length === 0) return 'must contain one or more CERTIFICATE PEM blocks'
  for (const [block, label, content = ''] of blocks) {
    if (label !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(label)}`
    if (content.includes(':')) return 'no PEM block headers are permitted'
    if (!isCertificate(block)) return 'malformed certificate'
  }
  return undefined
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== ''
  } catch {
    // Whatever the parser says, it means the same.
    return false
  }
}
