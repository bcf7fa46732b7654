/** Hubs on in-memory API servers, for tests and benches: nothing leaves the process. */
import type { KubeClient } from '@godwit/kube'
import { type Clock, type Logger, seededRandom, silentLogger, systemClock } from '@godwit/ports'
import { HubWorld } from '../src/fleet/hub-world.ts'
import { FAST_HUB_KNOBS, type HubKnobs, type ImportControllerMode } from '../src/hub/context.ts'
import {
  DEFAULT_HUB_KNOBS,
  DEFAULT_KNOBS,
  FAST_KNOBS,
  type Fleet,
  type FleetKnobs,
  populateGlobalHub,
  populateHub,
  prepareHub,
  startFleet,
} from '../src/index.ts'
import { startServer, type TestServer } from './server.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One hub with its controllers, without klusterlets. */
export interface TestHub {
  readonly client: KubeClient
  readonly anonymous: KubeClient
  readonly clock: Clock
  readonly world: HubWorld
  /** May be changed while the hub runs. */
  readonly knobs: Mutable<HubKnobs>
  stop(): Promise<void>
}

export async function startHub(options: {
  readonly importControllerMode: ImportControllerMode
  readonly logger?: Logger
}): Promise<TestHub> {
  const { importControllerMode, logger = silentLogger } = options
  const server = await startServer('hub1')
  await prepareHub({ client: server.client, clock: systemClock })
  const ports = { clock: systemClock, random: seededRandom(1), logger }
  const knobs = { ...FAST_HUB_KNOBS, importControllerMode }
  const world = new HubWorld({ ...server, name: 'hub1' }, ports, knobs)
  await world.start()
  return {
    client: server.client,
    anonymous: server.anonymous,
    clock: systemClock,
    world,
    knobs,
    async stop() {
      await world.stop()
      await server.stop()
    },
  }
}

/** A global hub, hub1 with clusters, an empty hub2, and a klusterlet for each cluster. */
export interface World {
  readonly fleet: Fleet
  readonly names: readonly string[]
  /** Client of a hub that carries no identity. */
  anonymous(hub: string): KubeClient
  /** How many requests all hubs answered so far. */
  requests(): number
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly count: number
  readonly hub?: Partial<HubKnobs>
  readonly knobs?: Partial<FleetKnobs>
  /** True: the delays of real clusters. Default: milliseconds. */
  readonly isReal?: boolean
  readonly logger?: Logger
  readonly onProgress?: (step: string) => void
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { count, isReal = false, logger = silentLogger, onProgress = () => undefined } = options
  const servers: Readonly<Record<'globalHub' | 'hub1' | 'hub2', TestServer>> = {
    globalHub: await startServer('global-hub'),
    hub1: await startServer('hub1'),
    hub2: await startServer('hub2'),
  }
  const { globalHub, hub1, hub2 } = servers
  onProgress('servers run')
  const clock = systemClock
  const hubs = { hub1, hub2 }
  for (const { client } of Object.values(hubs)) await prepareHub({ client, clock })
  const named = Object.entries(hubs).map(([name, access]) => ({ ...access, name }))
  await populateGlobalHub({ client: globalHub.client, clock, hubs: named })
  const isImported = options.hub?.importControllerMode !== 'absent'
  const names = await populateHub({ client: hub1.client, clock, count, isImported })
  onProgress('hubs populated')
  const knobs = {
    ...options.knobs,
    hub: { ...(isReal ? DEFAULT_HUB_KNOBS : FAST_HUB_KNOBS), ...options.hub },
    klusterlet: { ...(isReal ? realKnobs : fastKnobs), ...options.knobs?.klusterlet },
  }
  const fleet = await startFleet({ globalHub, hubs, knobs, clock, random: seededRandom(1), logger })
  onProgress('fleet started')
  const all = Object.values(servers)
  return {
    fleet,
    names,
    anonymous: hub => (hub === 'hub1' ? hub1 : hub2).anonymous,
    requests: () => all.reduce((sum, { client }) => sum + client.calls.total, 0),
    async stop() {
      await fleet.stop()
      await Promise.all(all.map(server => server.stop()))
    },
  }
}

/** Without the jitter: each klusterlet draws its own. */
const { leaseJitter: _real, ...realKnobs } = DEFAULT_KNOBS
const { leaseJitter: _fast, ...fastKnobs } = FAST_KNOBS
