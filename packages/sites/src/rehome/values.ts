/** What a subcloud's row holds for its rehome: bootstrap values, and the address under which it is reached. Pure. */
import type { Json } from '../subcloud/rows.ts'

export type BootstrapData =
  | {
      readonly kind: 'complete'
      readonly values: Json
      readonly bootstrapAddress: string
    }
  | { readonly kind: 'incomplete'; readonly missing: readonly string[] }

const VALUES = 'bootstrap values'
const ADDRESS = 'bootstrap-address'

/** @param savedPayload bootstrap values with the address among them */
export function bootstrapData(savedPayload: Json | undefined): BootstrapData {
  const { [ADDRESS]: address, ...values } = savedPayload ?? {}
  const missing = [
    ...(Object.keys(values).length === 0 ? [VALUES] : []),
    ...(typeof address === 'string' && address !== '' ? [] : [ADDRESS]),
  ]
  if (missing.length > 0 || typeof address !== 'string') return { kind: 'incomplete', missing }
  return { kind: 'complete', values, bootstrapAddress: address }
}
