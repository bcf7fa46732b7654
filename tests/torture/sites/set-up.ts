/** The common set-up of every story: two sites that know each other, a group that is in sync and led by the first. */

import { sitesSchema } from '@godwit/sites'
import { type Database, migrateSchema, type Row, type Value } from '@godwit/store'
import { PASSWORD, PEER_USER } from './site-party.ts'
import type { SitesWorld } from './world.ts'

export const GROUP = 'g'
export const encoded = (text: string) => Buffer.from(text).toString('base64')
export const rightAddress = (number: number) => `10.20.0.${number}`
export const WRONG_ADDRESS = '10.20.99.99'
export const nameOf = (number: number) => `s${number}`
export const regionOf = (number: number) => `${number}`.repeat(32).slice(0, 32)

export interface SetUp {
  readonly members: number
  /** Numbers of members whose bootstrap address is wrong. */
  readonly wrong: readonly number[]
  readonly width: number
}

/** Rows of both databases after it, and the time. */
export interface Image {
  readonly setUp: SetUp
  readonly nowMs: number
  readonly rows: readonly (readonly (readonly [table: string, rows: readonly Row[]])[])[]
}

/** By the API, as operators do it. */
export async function playSetUp(world: SitesWorld, setUp: SetUp): Promise<void> {
  for (const site of [world.a, world.b]) await migrateSchema(site.database, sitesSchema)
  await addSubclouds(world, setUp)
  world.a.start()
  world.b.start()
  const pairs = [
    [world.a, world.b],
    [world.b, world.a],
  ] as const
  for (const [site, peer] of pairs)
    await world.must(site, 'POST', '/system-peers', {
      peer_uuid: peer.settings.identity.uuid,
      peer_name: peer.settings.identity.name,
      manager_endpoint: `http://${peer.settings.host}/v3`,
      manager_username: PEER_USER.user,
      manager_password: encoded(PEER_USER.password),
      peer_controller_gateway_address: `10.8.${peer.settings.subnet}.101`,
      heartbeat_interval: 30,
    })
  await world.must(world.a, 'POST', '/subcloud-peer-groups', {
    'peer-group-name': GROUP,
    'max-subcloud-rehoming': setUp.width,
  })
  for (let number = 1; number <= setUp.members; number++)
    await world.must(world.a, 'PATCH', `/subclouds/${nameOf(number)}`, { peer_group: GROUP })
  await world.must(world.a, 'POST', '/peer-group-associations', {
    peer_group_id: 1,
    system_peer_id: 1,
    peer_group_priority: 1,
  })
  await world.until('the group is in sync', async () => (await world.syncStates()).join() === 'in-sync,in-sync')
  await world.pass(60_000)
}

async function addSubclouds({ a, subclouds }: SitesWorld, { members, wrong }: SetUp): Promise<void> {
  await a.database.transaction(async sql => {
    for (let number = 1; number <= members; number++) {
      const row = subcloudRow(number, wrong.includes(number) ? WRONG_ADDRESS : rightAddress(number))
      const names = Object.keys(row)
      await sql.run(
        `insert into subcloud (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
        Object.values(row) as Value[],
      )
    }
  })
  addSimulated(subclouds, a.settings.identity.uuid, a.settings.credentials, members)
}

export function addSimulated(subclouds: SitesWorld['subclouds'], site: string, credentials: string, members: number) {
  for (let number = 1; number <= members; number++)
    subclouds.add({
      region: regionOf(number),
      name: nameOf(number),
      bootstrapAddress: rightAddress(number),
      sysadminPassword: PASSWORD,
      release: '24.09',
      home: { site, credentials },
      knobs: { stepMs: 1_000, onlineAfterMs: 3_000 },
    })
}

/** What is added by `subcloud update --bootstrap-values`. */
export const valuesOf = (number: number): Record<string, string> => ({
  name: nameOf(number),
  system_mode: 'simplex',
  management_subnet: `192.168.${100 + number}.0/24`,
  management_start_address: `192.168.${100 + number}.2`,
  management_end_address: `192.168.${100 + number}.50`,
  management_gateway_address: `192.168.${100 + number}.1`,
  systemcontroller_gateway_address: '10.8.1.101',
  external_oam_subnet: `10.30.${number}.0/24`,
  external_oam_gateway_address: `10.30.${number}.1`,
  external_oam_floating_address: `10.30.${number}.2`,
})

const subcloudRow = (number: number, address: string): Row => ({
  version: 1,
  name: nameOf(number),
  region_name: regionOf(number),
  description: `number ${number}`,
  location: 'here',
  software_version: '24.09',
  management_state: 'managed',
  availability_status: 'online',
  deploy_status: 'complete',
  error_description: 'No errors present',
  management_subnet: `192.168.${100 + number}.0/24`,
  management_gateway_ip: `192.168.${100 + number}.1`,
  management_start_ip: `192.168.${100 + number}.2`,
  management_end_ip: `192.168.${100 + number}.50`,
  systemcontroller_gateway_ip: '10.8.1.101',
  external_oam_subnet_ip_family: '4',
  rehome_data: JSON.stringify({ saved_payload: { ...valuesOf(number), 'bootstrap-address': address } }),
  group_id: 1,
  rehomed: 0,
  owner_epoch: 0,
  values_version: '{}',
  audit_fail_count: 0,
  created_at: '2026-01-01 00:00:00.000',
})

const tablesOf = async (database: Database): Promise<readonly string[]> =>
  database.transaction(async sql => {
    const rows = await sql.all("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    return rows.map(({ name }) => String(name))
  })

export async function takeImage({ a, b, clock }: SitesWorld, setUp: SetUp): Promise<Image> {
  const rows = await Promise.all(
    [a, b].map(async ({ database }) => {
      const tables = await tablesOf(database)
      return database.transaction(async sql => {
        const all: (readonly [string, readonly Row[]])[] = []
        for (const table of tables) all.push([table, await sql.all(`select * from ${table}`)])
        return all
      })
    }),
  )
  return { setUp, nowMs: clock.now(), rows }
}

/** Nobody holds a lease: whoever did is dead. */
export async function restoreImage({ a, b }: SitesWorld, image: Image): Promise<void> {
  for (const [index, { database }] of [a, b].entries()) {
    await migrateSchema(database, sitesSchema)
    await database.transaction(async sql => {
      await sql.run('pragma defer_foreign_keys = on')
      for (const [table, rows] of image.rows[index] ?? []) {
        await sql.run(`delete from ${table}`)
        for (const row of rows) {
          const free = table === 'work' ? { ...row, holder: null, until_ms: 0 } : row
          const names = Object.keys(free)
          const text = `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`
          await sql.run(text, Object.values(free))
        }
      }
    })
  }
}
