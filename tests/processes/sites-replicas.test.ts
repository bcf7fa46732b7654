/** Two replicas of one site as real processes on one database: they share the work, and one goes on when the other dies. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sleep, systemClock } from '@godwit/ports'
import type { SiteClient } from '../../demo/sites/site-client.ts'
import { base64, demoSubcloud, SYSADMIN_PASSWORD, simulated } from '../../demo/sites/subclouds.ts'
import { type DatabaseConfig, type SitesWorld, startSitesWorld } from '../../demo/sites/world.ts'
import { hasPostgres, newPostgresSchema } from '../../scripts/testing/databases.ts'

const ITEMS = 24
const LIMIT_MS = 120_000

async function sharedWork(databases: readonly DatabaseConfig[]): Promise<void> {
  const problems: string[] = []
  const world = await startSitesWorld(text => problems.push(text), databases)
  try {
    const replica = await world.a.startReplica()
    const [one, two] = [await world.a.client(), await world.a.client(replica.url)]
    await Promise.all(Array.from({ length: ITEMS }, (_, index) => take(world, index % 2 === 0 ? one : two, index)))
    await until(async () => (await complete(one)) >= ITEMS / 4)
    await replica.end('SIGKILL')
    await until(async () => (await complete(one)) === ITEMS)
    const history = (await (await fetch(`${world.simulatorUrl}/history`)).json()) as Readonly<
      Record<'history' | 'violations' | 'started', readonly unknown[]>
    >
    assert.deepEqual(history.violations, [])
    assert.deepEqual([history.started.length, history.history.length], [ITEMS, ITEMS])
    assert.deepEqual(problems, [])
  } finally {
    await world.stop()
  }
}

async function take({ a, simulatorUrl }: SitesWorld, site: SiteClient, index: number): Promise<void> {
  const subcloud = demoSubcloud(index, `${a.identity.subnet}.101`)
  await fetch(`${simulatorUrl}/subclouds`, { method: 'POST', body: JSON.stringify(simulated(subcloud)) })
  const fields = {
    name: subcloud.name,
    'bootstrap-address': subcloud.bootstrapAddress,
    sysadmin_password: base64(SYSADMIN_PASSWORD),
    migrate: 'true',
  }
  const files = { bootstrap_values: JSON.stringify(subcloud.values) }
  await site.sendForm('POST', '/subclouds', { fields, files })
}

const complete = async (site: SiteClient) =>
  (await site.list('/subclouds')).filter(subcloud => subcloud['deploy-status'] === 'complete').length

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + LIMIT_MS
  while (!(await isSo())) {
    assert.ok(systemClock.now() < deadline, 'never')
    await sleep(systemClock, 50)
  }
}

describe('two replicas of one site', { concurrency: true, timeout: 300_000 }, () => {
  test('on a file: what one began the other one ends when it dies, and no playbook runs twice', () => sharedWork([]))
  if (hasPostgres)
    test('on Postgres: what one began the other one ends when it dies, and no playbook runs twice', async () =>
      sharedWork([{ postgres: await newPostgresSchema() }, { postgres: await newPostgresSchema() }]))
})
