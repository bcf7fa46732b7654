import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '@godwit/ports'
import { clearValue, insertRow, migrateSchema, openSqlite, selectRows } from '@godwit/store'
import { sitesSchema } from '../state/schema.ts'
import { keyRing, newKeyText } from './key-ring.ts'
import { sealedWith } from './sealed-columns.ts'

const SECRET = 'ThePasswordOfTheOtherSite'
const peer = {
  peer_uuid: 'u',
  peer_name: 'n',
  manager_endpoint: 'http://x',
  manager_username: 'admin',
  manager_password: SECRET,
  peer_controller_gateway_address: '10.0.0.1',
  administrative_state: 'enabled',
  heartbeat_interval: 60,
  heartbeat_failure_threshold: 3,
  heartbeat_failure_policy: 'alarm',
  heartbeat_maintenance_timeout: 600,
  availability_state: 'created',
  misses: 0,
  created_at: 'now',
}

test('the files of the database do not hold a password; another key is refused before anything is written', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-secrets-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const text = newKeyText()
  const path = join(folder, 'site.db')
  const open = async (key: string) => {
    const inner = openSqlite({ path, clock: systemClock })
    t.after(() => inner.close())
    await migrateSchema(inner, sitesSchema)
    return await sealedWith(inner, keyRing(key))
  }
  const database = await open(text)
  await database.transaction(sql => insertRow(sql, 'system_peer', peer))
  for (const file of readdirSync(folder)) assert.ok(!readFileSync(join(folder, file)).includes(SECRET), file)
  await assert.rejects(open(newKeyText()), { code: 'SecretsKey' })
  const again = await open(text)
  const [row] = await again.transaction(sql => selectRows(sql, 'system_peer'))
  assert.equal(row && clearValue(row, 'manager_password'), SECRET)
})
