import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inNodesWorld } from './nodes-testbed.ts'

const LARGE = ['node-a', 'node-b', 'node-c'].map(name => ({ name, cpu: '10000', memory: '100Ti' }))
/** So many that their Events would be written for a long time after them at the rate of a single mover. */
const SETS = 60

test('sets that have settled, however many moved at once, cost no call to the API or the registry', () =>
  inNodesWorld({ nodes: LARGE }, async world => {
    const names = Array.from({ length: SETS }, (_, index) => `set-${index}`)
    world.operator()
    for (const name of names) await world.create({ nodeName: 'node-a' }, name)
    const areAllOn = (node: string) => async () => {
      const sets = await Promise.all(names.map(name => world.set(name)))
      const guests = world.cluster.agents.guests()
      const isQuiet = sets.every(each => each?.status?.phase === 'Running' && !each.status.debts)
      return isQuiet && guests.length === SETS && guests.every(guest => guest.node === node && guest.isReady)
    }
    await world.until('all on node-a', areAllOn('node-a'))
    for (const name of names) await world.patch({ nodeName: 'node-b' }, name)
    await world.until('all on node-b', areAllOn('node-b'))
    await world.pass(3_000)
    const before = [world.calls(), world.registryCalls()]
    await world.pass(60_000)
    assert.deepEqual([world.calls(), world.registryCalls()], before)
    assert.deepEqual(world.damages, [])
  }))
