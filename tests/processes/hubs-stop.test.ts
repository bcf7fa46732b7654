/** Whoever stops the service must not have to kill it, whatever has become of its API servers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KubeObject, resources } from '@godwit/kube'
import { systemClock } from '@godwit/ports'
import { PARTIES, Parties } from '../../demo/hubs/processes.ts'
import { startWorld } from '../../demo/hubs/world.ts'

const WITHIN_MS = 60_000

test('controller and agents whose API servers are gone end when they are told to', async () => {
  const world = await startWorld(2)
  const problems: string[] = []
  const parties = new Parties(world, {
    onRecovered: () => undefined,
    onProblem: (party, text) => problems.push(`${party}: ${text}`),
  })
  for (const party of PARTIES) parties.start(party)
  const deadlineAt = systemClock.now() + WITHIN_MS
  while ((await leases(world)) < PARTIES.length) {
    assert.ok(systemClock.now() < deadlineAt, `not all lead: ${problems.join('\n')}`)
    await new Promise<void>(resolve => systemClock.after(100, resolve))
  }
  await world.stop()
  const late = Promise.withResolvers<never>()
  const cancel = systemClock.after(WITHIN_MS, () => late.reject(new Error('still running after a minute')))
  await Promise.race([parties.stop(), late.promise])
  cancel()
})

async function leases({ globalHub }: Awaited<ReturnType<typeof startWorld>>): Promise<number> {
  const { items } = await globalHub.list<KubeObject>(resources.leases)
  return items.filter(({ metadata }) => metadata.name.startsWith('godwit-hubs-')).length
}
