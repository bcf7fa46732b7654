/** Hubs on in-memory API servers, for tests and benches: nothing leaves the process. */
import type { KubeClient } from '@godwit/kube'
import {
  type Clock,
  type Logger,
  nextTurn,
  seededRandom,
  silentLogger,
  sleep,
  systemClock,
  VirtualClock,
} from '@godwit/ports'
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
  /** Lets time go by: on a virtual clock everything that is due in `byMs` happens, in order, and has its consequences. */
  pass(byMs: number): Promise<void>
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
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly seed?: number
  readonly logger?: Logger
  readonly onProgress?: (step: string) => void
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { count, isReal = false, clock = systemClock, seed = 1 } = options
  const { logger = silentLogger, onProgress = () => undefined } = options
  const servers: Readonly<Record<'globalHub' | 'hub1' | 'hub2', TestServer>> = {
    globalHub: await startServer('global-hub', clock),
    hub1: await startServer('hub1', clock),
    hub2: await startServer('hub2', clock),
  }
  const { globalHub, hub1, hub2 } = servers
  onProgress('servers run')
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
  const fleet = await startFleet({ globalHub, hubs, knobs, clock, random: seededRandom(seed), logger })
  onProgress('fleet started')
  const all = Object.values(servers)
  return {
    fleet,
    names,
    pass: byMs => pass(clock, byMs, () => settle(fleet, all)),
    requests: () => all.reduce((sum, { client }) => sum + client.calls.total, 0),
    async stop() {
      await fleet.stop()
      await Promise.all(all.map(server => server.stop()))
    },
  }
}

/** Turns of the event loop without anybody working, after which nothing more is on its way. */
const QUIET_TURNS = 4

async function settle(fleet: Fleet, servers: readonly TestServer[]): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; quiet = fleet.isIdle() ? quiet + 1 : 0) {
    await nextTurn()
    await Promise.all(servers.map(server => server.idle()))
  }
}

async function pass(clock: Clock, byMs: number, settled: () => Promise<void>): Promise<void> {
  if (!(clock instanceof VirtualClock)) return sleep(clock, byMs)
  const endMs = clock.now() + byMs
  for (;;) {
    await settled()
    const nextMs = clock.untilNext()
    if (nextMs === undefined || clock.now() + nextMs > endMs) break
    clock.advance(nextMs)
  }
  clock.advance(endMs - clock.now())
}

/** Without the jitter: each klusterlet draws its own. */
const { leaseJitter: _real, ...realKnobs } = DEFAULT_KNOBS
const { leaseJitter: _fast, ...fastKnobs } = FAST_KNOBS
