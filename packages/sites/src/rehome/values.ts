/** What a subcloud's row holds for its rehome: bootstrap values, and the address under which it is reached. Pure. */
import type { Value } from '@godwit/store'

export type BootstrapData =
  | {
      readonly kind: 'complete'
      readonly values: Readonly<Record<string, unknown>>
      readonly bootstrapAddress: string
    }
  | { readonly kind: 'incomplete'; readonly missing: readonly string[] }

const VALUES = 'bootstrap values'
const ADDRESS = 'bootstrap-address'

/** @param json the column `rehome_data` */
export function bootstrapData(json: Value | undefined): BootstrapData {
  const { [ADDRESS]: address, ...values } = savedPayload(json)
  const missing = [
    ...(Object.keys(values).length === 0 ? [VALUES] : []),
    ...(typeof address === 'string' && address !== '' ? [] : [ADDRESS]),
  ]
  if (missing.length > 0 || typeof address !== 'string') return { kind: 'incomplete', missing }
  return { kind: 'complete', values, bootstrapAddress: address }
}

function savedPayload(json: Value | undefined): Readonly<Record<string, unknown>> {
  if (typeof json !== 'string') return {}
  const { saved_payload: payload } = JSON.parse(json) as { readonly saved_payload?: unknown }
  return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {}
}
