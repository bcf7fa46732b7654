/** What of a subcloud is the same on both sites, and the forms that carry it to the other one. Pure. */
import { stringify } from 'yaml'
import type { RemoteSubcloud, SubcloudForm } from '../peer/peer-site.ts'
import type { Json, Subcloud } from '../subcloud/rows.ts'

export const GATEWAY = 'systemcontroller_gateway_address'
export const ADDRESS = 'bootstrap-address'
/** Each site has its own gateway; secrets are not shown to everybody, and stored differently. */
const NOT_COMPARED = [
  GATEWAY,
  'admin_password',
  'sysadmin_password',
  'ansible_ssh_pass',
  'ansible_become_pass',
  'bmc_password',
]

export type Replicated = Pick<
  Subcloud,
  'name' | 'description' | 'location' | 'softwareVersion' | 'savedPayload' | 'installValues'
>

/** Names of what differs; empty: the copies are equal. */
export function replicaDifferences(local: Replicated, remote: RemoteSubcloud): readonly string[] {
  // Another implementation, which counts no edits, keeps the whole request among the values: it is not asked for less.
  const isForeign = remote.valuesVersion === undefined
  const theirs = (values: Json | undefined, ours: Json | undefined) =>
    comparable(isForeign && values && ours ? only(values, Object.keys(ours)) : values)
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['name', local.name, remote.name],
    ['description', described(local.description), described(remote.description)],
    ['location', described(local.location), described(remote.location)],
    ['software version', local.softwareVersion, remote.softwareVersion],
    ['bootstrap values', comparable(local.savedPayload), theirs(remote.rehomeData, local.savedPayload)],
    ['install values', comparable(local.installValues), theirs(remote.installValues, local.installValues)],
  ]
  return pairs.filter(([, left, right]) => canonical(left) !== canonical(right)).map(([what]) => what)
}

/** A subcloud that is added without a text is given one. */
const described = (text: string) => (/^No (description|location) provided$/.test(text) ? '' : text)

function comparable(values: Json | undefined): Json | undefined {
  if (values === undefined) return undefined
  return Object.fromEntries(Object.entries(values).filter(([key]) => !NOT_COMPARED.includes(key)))
}

const only = (values: Json, keys: readonly string[]): Json =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)))

/** The same text for the same values, in whatever order their keys are. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  )
}

/** Why a member cannot be replicated; undefined: it can. */
export function replicaObstacle({ savedPayload }: Replicated): string | undefined {
  if (savedPayload === undefined || Object.keys(savedPayload).length === 0) return 'it has no bootstrap values'
  const missing = [ADDRESS, GATEWAY].filter(key => typeof savedPayload[key] !== 'string' || savedPayload[key] === '')
  return missing.length > 0 ? `its bootstrap values have no ${missing.join(' and no ')}` : undefined
}

/** Everything of the member, as the other site stores it: with its own gateway. */
export function replicaForm(member: Subcloud, gateway: string, how: 'add' | 'update'): SubcloudForm {
  const values = { ...member.savedPayload, name: member.name, [GATEWAY]: gateway }
  const address = String(member.savedPayload?.[ADDRESS] ?? '')
  return {
    fields: {
      ...(how === 'add'
        ? { secondary: 'true', 'bootstrap-address': address, region_name: member.region }
        : { bootstrap_address: address }),
      description: member.description,
      location: member.location,
      release: member.softwareVersion,
      owner_epoch: String(member.ownerEpoch),
      values_version: JSON.stringify(member.values),
    },
    files: {
      bootstrap_values: stringify(values),
      ...(member.installValues && { install_values: stringify(member.installValues) }),
    },
  }
}
