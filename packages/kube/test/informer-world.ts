/** An informer on a virtual clock, before a server that can misbehave. */
import { seededRandom, VirtualClock } from '@godwit/ports'
import { defineResource, Informer, type InformerOptions, KubeClient } from '../src/index.ts'
import { ChangeLog } from './change-log.ts'
import { FakeCollection, type Thing } from './fake-collection.ts'
import { drive, settle } from './virtual-time.ts'

export const things = defineResource('checks.example.com/v1', 'Thing', 'things', 'Namespaced')

export function setUp(options: Partial<InformerOptions<Thing>> = {}) {
  const server = new FakeCollection()
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const client = new KubeClient({ transport: server, clock, random })
  const informer = new Informer<Thing>({ client, resource: things, clock, random, ...options })
  const log = new ChangeLog<Thing>()
  informer.onChange(log.handle)
  const values = () => Object.fromEntries(informer.list().map(({ metadata, spec }) => [metadata.name, spec.value]))
  return { server, clock, informer, log, values }
}

/** With `a` and `b` in the cache, and a watch open. */
export async function synced(options: Partial<InformerOptions<Thing>> = {}) {
  const world = setUp(options)
  world.server.put('a', 1)
  world.server.put('b', 1)
  world.informer.start()
  await drive(world.clock, world.informer.synced())
  await settle()
  return world
}
