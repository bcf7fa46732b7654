/** The final judge of a move: it looks at the hubs and the klusterlets, never at what the system under test says. */
import { type KubeClient, type KubeObject, resources } from '@godwit/kube'
import { isTrue } from '../foreign/conditions.ts'
import { conditions, LEASE_NAME } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { Lease, ManagedCluster } from '../foreign/types.ts'
import type { Label } from '../klusterlet/state.ts'
import type { Fleet } from './fleet.ts'
import { type Snapshot, takeSnapshot } from './snapshot.ts'

export interface MoveClaim {
  readonly names: readonly string[]
  readonly from: string
  readonly to: string
  /** Taken from the source before the move: its objects must be on the target, equal. */
  readonly snapshot?: Snapshot
  /** State that the klusterlets must be in. Default T2; T1 on a target without import controller. */
  readonly label?: Label
}

export interface Violation {
  readonly cluster: string
  readonly what: string
}

interface Seen {
  readonly clusters: ReadonlyMap<string, ManagedCluster>
  readonly leases: ReadonlyMap<string, Lease>
  readonly namespaces: ReadonlySet<string>
}

async function look(client: KubeClient): Promise<Seen> {
  const [clusters, leases, namespaces] = await Promise.all([
    client.list<ManagedCluster>(foreign.managedClusters),
    client.list<Lease>(resources.leases, { fieldSelector: `metadata.name=${LEASE_NAME}` }),
    client.list<KubeObject>(resources.namespaces),
  ])
  return {
    clusters: new Map(clusters.items.map(item => [item.metadata.name, item])),
    leases: new Map(leases.items.map(item => [item.metadata.namespace ?? '', item])),
    namespaces: new Set(namespaces.items.map(item => item.metadata.name)),
  }
}

/** Everything that contradicts the claim that these clusters moved; empty when it is true. */
export async function verifyMoved(fleet: Fleet, claim: MoveClaim): Promise<readonly Violation[]> {
  const [source, target] = await Promise.all([look(fleet.client(claim.from)), look(fleet.client(claim.to))])
  const violations: Violation[] = []
  const claimed = new Set(claim.names)
  for (const cluster of claim.names) {
    const found = [
      ...sourceFaults(source, cluster, claim),
      ...targetFaults(target, cluster, claim, fleet.clock.now()),
      ...klusterletFaults(fleet, cluster, claim),
    ]
    violations.push(...found.map(what => ({ cluster, what })))
  }
  for (const { kind, namespace, name, hub } of fleet.disasters)
    if (claimed.has(namespace))
      violations.push({ cluster: namespace, what: `${kind} ${name} was deprovisioned by ${hub}` })
  if (claim.snapshot) violations.push(...(await contentFaults(fleet, claim, claim.snapshot)))
  return violations
}

function sourceFaults({ clusters, namespaces }: Seen, cluster: string, { from }: MoveClaim): string[] {
  const left = clusters.get(cluster)
  return [
    ...(left ? [`ManagedCluster is still on ${from}${left.metadata.deletionTimestamp ? ', being deleted' : ''}`] : []),
    ...(namespaces.has(cluster) ? [`namespace is still on ${from}`] : []),
  ]
}

const REQUIRED = [conditions.hubAccepted, conditions.joined, conditions.available]

function targetFaults({ clusters, leases }: Seen, cluster: string, { to }: MoveClaim, nowMs: number): string[] {
  const arrived = clusters.get(cluster)
  if (!arrived) return [`ManagedCluster is not on ${to}`]
  const faults = REQUIRED.filter(type => !isTrue(arrived, type)).map(type => `${type} is not True on ${to}`)
  if (!arrived.spec.hubAcceptsClient) faults.push(`${to} does not accept it`)
  const durationMs = (arrived.spec.leaseDurationSeconds || 60) * 1000
  const ageMs = nowMs - Date.parse(leases.get(cluster)?.spec.renewTime ?? '')
  // Renewed every duration plus a quarter at most.
  if (!(ageMs <= 2 * durationMs)) faults.push(`lease on ${to} is not fresh`)
  return faults
}

function klusterletFaults(fleet: Fleet, cluster: string, { to, label = 'T2' }: MoveClaim): string[] {
  const klusterlet = fleet.klusterlet(cluster)
  if (!klusterlet) return ['it has no klusterlet']
  const isThere = klusterlet.label === label && klusterlet.hub === to
  return isThere
    ? []
    : [`klusterlet is in ${klusterlet.label} on ${klusterlet.hub ?? 'no hub'}, not in ${label} on ${to}`]
}

async function contentFaults(fleet: Fleet, claim: MoveClaim, snapshot: Snapshot): Promise<Violation[]> {
  const present = await takeSnapshot(fleet.client(claim.to), claim.names)
  const violations: Violation[] = []
  const claimed = new Set(claim.names)
  for (const [key, content] of snapshot) {
    const cluster = clusterOfKey(key)
    if (!claimed.has(cluster)) continue
    const arrived = present.get(key)
    if (arrived === undefined) violations.push({ cluster, what: `${key} is not on ${claim.to}` })
    else if (arrived !== content) violations.push({ cluster, what: `${key} differs on ${claim.to}` })
  }
  return violations
}

const clusterOfKey = (key: string) => key.split(' ')[1]?.split('/')[0] ?? ''
