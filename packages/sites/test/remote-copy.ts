/** A member on one site and its copy on the other, as rules see them. */
import type { RemoteSubcloud } from '../src/peer/peer-site.ts'
import { type Subcloud, subcloudOf } from '../src/subcloud/rows.ts'
import { memberRow, UUIDS } from './linked-sites.ts'

export const localMember = (change: Partial<Subcloud> = {}, number = 1): Subcloud => ({
  ...plain(subcloudOf({ id: number, version: 1, ...memberRow(number) })),
  ...change,
})

/** What is read of it has no properties of its own. */
function plain(subcloud: Subcloud): Subcloud {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(subcloud)) as (keyof Subcloud)[]
  return Object.fromEntries(names.map(name => [name, subcloud[name]])) as unknown as Subcloud
}

export const PEER_GATEWAY = '192.168.205.101'

/** Equal in everything that is replicated; in the group 7. */
export function remoteCopy(local: Subcloud, change: Partial<RemoteSubcloud> = {}): RemoteSubcloud {
  const { name, region, description, location, softwareVersion, installValues, ownerEpoch, values } = local
  return {
    id: 70 + local.id,
    name,
    region,
    description,
    location,
    softwareVersion,
    installValues,
    ownerEpoch,
    valuesVersion: values,
    deployStatus: 'secondary',
    managementState: 'unmanaged',
    availability: 'offline',
    peerGroupId: 7,
    rehomeData: { ...local.savedPayload, systemcontroller_gateway_address: PEER_GATEWAY },
    ...change,
  }
}

/** As another implementation shows it. */
export function foreignCopy(local: Subcloud, change: Partial<RemoteSubcloud> = {}): RemoteSubcloud {
  const copy = remoteCopy(local, change)
  const rehomeData = { ...copy.rehomeData, region_name: local.region, location: 'also among the values' }
  return { ...copy, rehomeData, ownerEpoch: undefined, valuesVersion: undefined }
}

export { UUIDS }
