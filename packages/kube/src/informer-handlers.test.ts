import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, type Logger, silentLogger } from '@godwit/ports'
import { ChangeLog } from '../test/change-log.ts'
import type { Thing } from '../test/fake-collection.ts'
import { setUp, synced } from '../test/informer-world.ts'
import { elapseUntil, settle } from '../test/virtual-time.ts'

test('a handler that throws harms neither the others nor the informer', async () => {
  const errors: Fields[] = []
  const logger: Logger = { ...silentLogger, error: fields => errors.push(fields) }
  const { server, informer, log, values } = await synced({ logger })
  informer.onChange(() => {
    throw new Error('sync')
  })
  informer.onChange(async () => {
    throw new Error('async')
  })
  const after = new ChangeLog<Thing>()
  informer.onChange(after.handle)
  server.put('a', 2)
  await settle()
  assert.deepEqual(values(), { a: 2, b: 1 })
  assert.deepEqual([log.lines().at(-1), after.lines()], ['updated a', ['added a', 'added b', 'updated a']])
  assert.equal(errors.length, 6, 'two replays and one change, for each of the two')
  await informer.stop()
})

test('a handler that comes late is told first of what is there; one that left hears no more', async () => {
  const { server, informer } = await synced()
  const late = new ChangeLog<Thing>()
  const off = informer.onChange(late.handle)
  const quiet = new ChangeLog<Thing>()
  informer.onChange(quiet.handle, { replay: false })
  server.put('a', 2)
  await settle()
  off()
  server.put('a', 3)
  await settle()
  assert.deepEqual(late.lines(), ['added a', 'added b', 'updated a'])
  assert.deepEqual(quiet.lines(), ['updated a', 'updated a'])
  await informer.stop()
})

test('a handler that registers another one in the middle of a change tells it nothing twice', async () => {
  const { server, informer } = await synced()
  const nested = new ChangeLog<Thing>()
  const off = informer.onChange(
    () => {
      off()
      informer.onChange(nested.handle)
    },
    { replay: false },
  )
  server.put('c', 1)
  server.put('c', 2)
  await settle()
  assert.deepEqual(nested.lines(), ['added a', 'added b', 'added c', 'updated c'])
  assert.deepEqual(nested.complaints, [])
  await informer.stop()
})

test('managedFields are dropped, and whatever the transform drops', async () => {
  const { informer } = await synced({ transform: thing => ({ ...thing, spec: { value: -thing.spec.value } }) })
  const [thing] = informer.list('x')
  assert.deepEqual(Object.keys(thing?.metadata ?? {}), ['name', 'namespace', 'uid', 'resourceVersion'])
  assert.equal(thing?.spec.value, -1)
  await informer.stop()
})

test('a transform that throws keeps the object as it is', async () => {
  const { values, informer } = await synced({
    transform: () => {
      throw new Error('no')
    },
  })
  assert.deepEqual(values(), { a: 1, b: 1 })
  await informer.stop()
})

test('indexes follow additions, changes and deletions, also when they are added late', async () => {
  const { server, informer } = await synced()
  informer.addIndex('value', thing => [`${thing.spec.value}`, 'all'])
  informer.addIndex('broken', thing => {
    if (thing.metadata.name === 'a') throw new Error('no')
    return ['fine']
  })
  const names = (index: string, key: string) => informer.byIndex(index, key).map(({ metadata }) => metadata.name)
  assert.deepEqual(names('value', '1'), ['a', 'b'])
  server.put('a', 2)
  server.remove('b')
  server.put('c', 2)
  await settle()
  assert.deepEqual([names('value', '1'), names('value', '2'), names('value', 'all')], [[], ['a', 'c'], ['a', 'c']])
  assert.deepEqual(names('broken', 'fine'), ['c'])
  assert.throws(() => informer.byIndex('unknown', 'x'), RangeError)
  assert.deepEqual([informer.list('x').length, informer.list('y').length], [2, 0])
  assert.equal(informer.get({ namespace: 'x', name: 'a' })?.spec.value, 2)
  await informer.stop()
})

test('no handler is called once stop was, not even for the rest of a list', async () => {
  const { server, clock, informer, log } = setUp()
  for (const name of ['a', 'b', 'c']) server.put(name, 1)
  informer.onChange(() => void informer.stop())
  informer.start()
  await elapseUntil(clock, () => log.changes.length > 0)
  await settle()
  assert.deepEqual(log.lines(), ['added a'])
})
