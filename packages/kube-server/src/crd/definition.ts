/** The parts of a CustomResourceDefinition that the server reads. */
import type { JsonObject, KubeObject } from '../api/object.ts'

export interface CrdNames extends JsonObject {
  plural: string
  singular?: string
  kind: string
  listKind?: string
  shortNames?: string[]
  categories?: string[]
}

export interface PrinterColumn extends JsonObject {
  name: string
  type: string
  format?: string
  description?: string
  priority?: number
  jsonPath: string
}

export interface CrdVersion extends JsonObject {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: JsonObject }
  subresources?: {
    status?: JsonObject
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  }
  additionalPrinterColumns?: PrinterColumn[]
  selectableFields?: { jsonPath: string }[]
}

export interface CrdSpec extends JsonObject {
  group: string
  scope: 'Namespaced' | 'Cluster'
  names: CrdNames
  versions: CrdVersion[]
  conversion?: { strategy?: string }
  preserveUnknownFields?: boolean
}

export interface CrdCondition extends JsonObject {
  type: string
  status: string
  reason: string
  message: string
  lastTransitionTime: string
}

export interface CrdStatus extends JsonObject {
  conditions: CrdCondition[]
  acceptedNames: CrdNames
  storedVersions: string[]
}

export const crdCollection = 'customresourcedefinitions.apiextensions.k8s.io'
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

export const crdSpec = (object: JsonObject) => object['spec'] as CrdSpec

export const crdStatus = (object: JsonObject): CrdStatus =>
  (object['status'] as CrdStatus | undefined) ?? {
    conditions: [],
    acceptedNames: { plural: '', kind: '' },
    storedVersions: [],
  }

export function hasCondition(object: KubeObject, type: string): boolean {
  return crdStatus(object).conditions?.some(one => one.type === type && one.status === 'True') ?? false
}

/** Conditions with one of them set; the transition time moves only when its status does. */
export function withCondition(
  conditions: readonly CrdCondition[],
  condition: Omit<CrdCondition, 'lastTransitionTime'> & {
    type: string
    status: string
    reason: string
    message: string
  },
  now: string,
): CrdCondition[] {
  const old = conditions.find(one => one.type === condition.type)
  const lastTransitionTime = old && old.status === condition.status ? old.lastTransitionTime : now
  const fresh: CrdCondition = { ...condition, lastTransitionTime }
  return old ? conditions.map(one => (one.type === condition.type ? fresh : one)) : [...conditions, fresh]
}
