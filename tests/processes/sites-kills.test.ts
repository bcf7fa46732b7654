/** Two sites as real processes, killed with SIGKILL: the demo with fewer subclouds, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasHeld } from '../../demo/sites/main.ts'
import { type FinishedSites, runSitesDemo, type SitesDemoOptions } from '../../demo/sites/run.ts'
import { hasPostgres, newPostgresSchema } from '../../scripts/testing/databases.ts'

async function allComesHome(databases: SitesDemoOptions['databases']): Promise<void> {
  const lines: string[] = []
  let finished: FinishedSites | undefined
  try {
    finished = await runSitesDemo({ items: 12, log: line => lines.push(line), ...(databases && { databases }) })
    assert.ok(hasHeld(finished.result), lines.join('\n'))
    assert.equal(finished.result.kills, 2)
  } catch (error) {
    throw new Error(lines.join('\n'), { cause: error })
  } finally {
    await finished?.stop()
  }
}

const places: Readonly<Record<string, () => Promise<SitesDemoOptions['databases']>>> = {
  files: async () => [],
  ...(hasPostgres && {
    Postgres: async () => [{ postgres: await newPostgresSchema() }, { postgres: await newPostgresSchema() }],
  }),
}

// Most of the time both wait for a heartbeat.
describe('two sites that are killed', { concurrency: true, timeout: 300_000 }, () => {
  for (const [name, databases] of Object.entries(places))
    test(`on ${name}: A is killed, B is killed in its batch, and every subcloud comes home with one owner at all times`, async () =>
      allComesHome(await databases()))
})
