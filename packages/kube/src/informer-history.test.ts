import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, VirtualClock } from '@godwit/ports'
import fc from 'fast-check'
import { ChangeLog } from '../test/change-log.ts'
import { type Disturbance, FakeCollection, type Fault, type Thing } from '../test/fake-collection.ts'
import { things } from '../test/informer-world.ts'
import { drive, elapse, elapseUntil } from '../test/virtual-time.ts'
import { KubeClient } from './client.ts'
import { Informer } from './informer.ts'
import { keyOf } from './object.ts'

type Step =
  | { readonly do: 'put' | 'remove' | 'remake'; readonly name: string; readonly value: number }
  | { readonly do: 'tick' | 'compact' | 'join' }
  | { readonly do: 'disturb'; readonly how: Disturbance }
  | { readonly do: 'fault'; readonly fault: Fault }
  | { readonly do: 'elapse'; readonly ms: number }

const change = fc.record({
  do: fc.constantFrom('put' as const, 'put' as const, 'remove' as const, 'remake' as const),
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  value: fc.nat(9),
})
const how = fc.constantFrom<Disturbance>(
  'end',
  'reset',
  'expired',
  'error',
  'junk',
  'half',
  'nameless',
  'unknown',
  'bookmark',
  'replay',
)
const fault = fc.oneof(
  fc.record({ kind: fc.constant('status' as const), code: fc.constantFrom(403, 404, 410, 429, 500, 503, 504) }),
  fc.record({ kind: fc.constant('cut' as const) }),
  fc.record({ kind: fc.constant('lag' as const), versions: fc.integer({ min: 1, max: 6 }) }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: change },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('tick' as const, 'compact' as const, 'join' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('disturb' as const), how }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fault' as const), fault }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('elapse' as const), ms: fc.constantFrom(0, 1, 50, 500, 5000) }) },
)

class World {
  readonly server = new FakeCollection()
  readonly clock = new VirtualClock()
  readonly informer: Informer<Thing>
  readonly logs: ChangeLog<Thing>[] = []

  constructor(seed: number) {
    const { clock } = this
    const random = seededRandom(seed)
    const client = new KubeClient({ transport: this.server, clock, random })
    const list: KubeClient['list'] = (resource, options) => client.list(resource, { ...options, pageSize: 2 })
    const small = { list, version: client.version.bind(client), watch: client.watch.bind(client) } as KubeClient
    this.informer = new Informer<Thing>({ client: small, resource: things, clock, random })
    this.join()
    this.informer.onChange(() => {
      if (random.next() < 0.5) throw new Error('a bad neighbour')
    })
    this.join()
    this.informer.start()
  }

  join(): void {
    const log = new ChangeLog<Thing>()
    this.logs.push(log)
    this.informer.onChange(log.handle)
  }

  async perform(step: Step): Promise<void> {
    const { server } = this
    switch (step.do) {
      case 'remake':
        server.remove(step.name)
        return server.put(step.name, step.value)
      case 'put':
        return server.put(step.name, step.value)
      case 'remove':
        return server.remove(step.name)
      case 'disturb':
        return server.disturb(step.how)
      case 'fault':
        return void server.faults.push(step.fault)
      case 'elapse':
        return await elapse(this.clock, step.ms)
      case 'join':
        return this.join()
      default:
        return server[step.do]()
    }
  }

  async heal(): Promise<void> {
    this.server.faults.length = 0
    await drive(this.clock, this.informer.synced())
    await elapseUntil(this.clock, () => this.server.watches === 1)
    await elapse(this.clock, 1000)
  }
}

const stateOf = (objects: Iterable<Thing>) =>
  [...objects]
    .map(({ metadata, spec }) => [keyOf(metadata), metadata.uid, metadata.resourceVersion, spec.value].join(' '))
    .sort()

test('whatever happens to lists and watches, the cache ends as the server is, and handlers saw a consistent story', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(), async (steps, seed) => {
      const world = new World(seed)
      for (const each of steps) await world.perform(each)
      await world.heal()
      const expected = stateOf(world.server.objects())
      assert.deepEqual(stateOf(world.informer.list()), expected)
      for (const log of world.logs) {
        assert.deepEqual(log.complaints, [])
        assert.deepEqual(stateOf(log.state.values()), expected)
      }
      await world.informer.stop()
      assert.equal(world.clock.untilNext(), undefined)
    }),
    { numRuns: 300 },
  )
})

test('after a restored backup the cache follows the server again, and every change was told', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(change, { maxLength: 5 }),
      fc.nat(8),
      fc.nat(),
      async (steps, later, back, seed) => {
        const world = new World(seed)
        for (const each of steps) await world.perform(each)
        await world.heal()
        world.server.restore(back)
        await elapse(world.clock, 400_000)
        for (const each of later) await world.perform(each)
        await elapse(world.clock, 1000)
        const expected = stateOf(world.server.objects())
        assert.deepEqual(stateOf(world.informer.list()), expected)
        for (const log of world.logs) assert.deepEqual(stateOf(log.state.values()), expected)
        await world.informer.stop()
      },
    ),
    { numRuns: 100 },
  )
})
