/** The stories that are told again and again, each time with somebody dying in another moment. */
import type { MigrationSpec } from '@godwit/hubs'
import type { TransportRequest } from '@godwit/kube'
import type { FleetKnobs } from '@godwit/simulation'
import type { ServerName } from './world-image.ts'

export interface Scenario {
  readonly name: string
  readonly count: number
  /** How it ends when nobody dies; undefined: the migration is gone. */
  readonly phase: 'Completed' | 'Failed' | undefined
  readonly knobs?: Partial<FleetKnobs>
  readonly stageTimeout?: string
  readonly spec?: Pick<MigrationSpec, 'strategy' | 'cancelledManagedClusters'>
  /** Somebody deletes the migration once a party has sent this write. */
  readonly deletedAt?: (party: string, server: ServerName, request: TransportRequest) => boolean
  /** This cluster is cut off from both hubs once it is denied, until it could not be taken back and somebody asks again. */
  readonly cutOff?: string
  /** False: how far it came when it was deleted depends on who died, so ends are only judged, not compared. */
  readonly hasOneEnd: boolean
}

const ofSource = (pattern: RegExp) => (party: string, server: ServerName, request: TransportRequest) =>
  party === 'source' && server === 'hub1' && pattern.test(request.path) && /PUT|PATCH/.test(request.method)

export const SCENARIOS: readonly Scenario[] = [
  { name: 'forward', count: 3, phase: 'Completed', hasOneEnd: true },
  {
    name: 'rolled-back',
    count: 3,
    phase: 'Failed',
    knobs: { overrides: { 'cluster-0002': { neverAppliesConfig: true } } },
    stageTimeout: '30s',
    hasOneEnd: true,
  },
  {
    name: 'returned',
    count: 3,
    phase: 'Failed',
    knobs: {
      klusterlet: { hubConnectionTimeoutMs: 20_000 },
      overrides: { 'cluster-0002': { unreachableHubs: ['hub2'] } },
    },
    stageTimeout: '40s',
    hasOneEnd: true,
  },
  {
    name: 'deleted-initializing',
    count: 3,
    phase: undefined,
    knobs: { klusterlet: { rolloutDelayMs: 5_000 } },
    deletedAt: ofSource(/\/managedclusters\//),
    hasOneEnd: false,
  },
  {
    name: 'deleted-registering',
    count: 3,
    phase: undefined,
    knobs: { klusterlet: { restartDelayMs: 5_000 } },
    deletedAt: (party, server, request) =>
      ofSource(/\/managedclusters\//)(party, server, request) && String(request.body).includes('hubAcceptsClient'),
    hasOneEnd: false,
  },
  { name: 'waves', count: 3, phase: 'Completed', spec: { strategy: { batchSize: 1, soak: '10s' } }, hasOneEnd: true },
  {
    name: 'stopped',
    count: 3,
    phase: 'Failed',
    knobs: { overrides: { 'cluster-0002': { neverAppliesConfig: true } } },
    stageTimeout: '30s',
    spec: { strategy: { batchSize: 1, stopAfterFailures: 1 } },
    hasOneEnd: true,
  },
  {
    name: 'asked-again',
    count: 2,
    phase: 'Failed',
    knobs: { overrides: { 'cluster-0002': { unreachableHubs: ['hub2'] } } },
    stageTimeout: '40s',
    cutOff: 'cluster-0002',
    hasOneEnd: true,
  },
  {
    name: 'cancelled-alone',
    count: 3,
    phase: 'Failed',
    spec: { cancelledManagedClusters: ['cluster-0002'] },
    hasOneEnd: true,
  },
]

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find(scenario => scenario.name === name)
  if (!found) throw new Error(`no scenario ${name}; there are ${SCENARIOS.map(each => each.name).join(', ')}`)
  return found
}
