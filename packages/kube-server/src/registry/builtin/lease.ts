import { invalidValue } from '../../api/causes.ts'
import type { Cause } from '../../api/status-error.ts'
import { column } from '../../table/columns.ts'
import { defineBuiltin } from '../define.ts'
import { integer, microTime, record, text } from '../openapi-types.ts'
import type { Draft, Resource } from '../resource.ts'

function validate(draft: Draft): Cause[] {
  const spec = (draft['spec'] ?? {}) as { leaseDurationSeconds?: number; leaseTransitions?: number }
  const causes: Cause[] = []
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0)
    causes.push(invalidValue('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'))
  if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0)
    causes.push(invalidValue('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0'))
  return causes
}

export const leases: Resource = defineBuiltin({
  group: 'coordination.k8s.io',
  plural: 'leases',
  kind: 'Lease',
  description: 'Lease defines who holds something, and until when.',
  fields: {
    spec: record({
      holderIdentity: text,
      leaseDurationSeconds: integer,
      acquireTime: microTime,
      renewTime: microTime,
      leaseTransitions: integer,
      strategy: text,
      preferredHolder: text,
    }),
  },
  columns: [column('Holder', 'spec.holderIdentity')],
  strategy: { createsOnUpdate: true, updatesUnconditionally: false, validate },
})
