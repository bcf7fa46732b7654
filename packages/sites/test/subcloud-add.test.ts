import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeWork } from '@godwit/store'
import { type Api, startApi } from './api.ts'
import { base64, CANARIES, everything, givenSubcloud, type Parts, rowOf, rowsOf, valuesOf } from './fixture.ts'
import { ask, newCopy, newSubcloud, without } from './subcloud-form.ts'

const REGION = 'f'.repeat(32)
const asked: { bootstrapAddress: string; sysadminPassword: string }[] = []
const readsRegion = (region = REGION) => ({
  regionReader: {
    regionOf: async (subcloud: { bootstrapAddress: string; sysadminPassword: string }) => {
      asked.push(subcloud)
      return region
    },
  },
})
const post = (api: Api, parts: Parts, user?: string) => ask(api, 'POST', '/', parts, user)

test('subcloud post with migrate: it says its region, is pre-rehome, and its rehome is an operation', async t => {
  const api = await startApi(t, readsRegion())
  const { status, body, text } = await post(api, newSubcloud(1, { fields: { description: 'north' } }))
  assert.equal(status, 200, text)
  assert.deepEqual(asked.at(-1), { bootstrapAddress: '10.2.1.5', sysadminPassword: CANARIES.sysadmin })
  const shown = ['name', 'region-name', 'deploy-status', 'management-state', 'availability-status', 'description']
  assert.deepEqual(
    shown.map(key => body[key]),
    ['s1', REGION, 'pre-rehome', 'unmanaged', 'offline', 'north'],
  )
  const networks = ['management-subnet', 'management-start-ip', 'management-end-ip', 'management-gateway-ip']
  assert.deepEqual(
    networks.map(key => body[key]),
    ['10.1.1.0/24', '10.1.1.2', '10.1.1.50', '10.1.1.1'],
  )
  const endpoints = body['endpoint_sync_status'] as readonly { endpoint_type: string; sync_status: string }[]
  assert.deepEqual([endpoints.length, new Set(endpoints.map(each => each.sync_status))], [7, new Set(['unknown'])])
  assert.equal((await rowOf(api, 'batch'))['operation_id'], body['operation_id'])
  assert.deepEqual(
    (await rowsOf(api, 'batch_member')).map(row => row['name']),
    ['s1'],
  )
  const work = { queue: 'batch', holder: 'h', leaseMs: 1, limit: 9 }
  assert.equal((await api.database.transaction(sql => takeWork(sql, work))).length, 1)
})

test('what is kept for the next rehome has no password of sysadmin, and that of admin encoded', async t => {
  const api = await startApi(t, readsRegion())
  const secrets = { sysadmin_password: 'x1', ansible_ssh_pass: 'x2', ansible_become_pass: 'x3' }
  const values = valuesOf(1, { admin_password: CANARIES.admin, ...secrets })
  await post(api, newSubcloud(1, { files: { bootstrap_values: values } }))
  const stored = JSON.parse(String((await rowOf(api, 'subcloud'))['rehome_data'])) as { saved_payload: object }
  assert.deepEqual(stored.saved_payload, {
    ...valuesOf(1),
    admin_password: base64(CANARIES.admin),
    'bootstrap-address': '10.2.1.5',
  })
})

test('subcloud post secondary: a copy that nobody contacts, without a password of sysadmin', async t => {
  const api = await startApi(t)
  const install = { bmc_password: base64(CANARIES.bmc), image: 'x' }
  const copy = newCopy(1, { fields: { release: '23.09' }, files: { install_values: install } })
  const { status, body, text } = await post(api, copy, 'peer')
  assert.equal(status, 200, text)
  const shown = ['deploy-status', 'management-state', 'availability-status', 'software-version', 'owner-epoch']
  assert.deepEqual(
    shown.map(key => body[key]),
    ['secondary', 'unmanaged', 'offline', '23.09', 7],
  )
  const row = await rowOf(api, 'subcloud')
  const { saved_payload: payload } = JSON.parse(String(row['rehome_data']))
  assert.equal(payload.admin_password, base64(CANARIES.admin), 'it was encoded by the other site already')
  assert.deepEqual(JSON.parse(String(row['data_install'])), install)
  assert.deepEqual(await rowsOf(api, 'batch'), [])
})

test('a copy is added by a peer only; one that says secondary=false is none', async t => {
  const api = await startApi(t, readsRegion())
  assert.equal((await post(api, newCopy())).status, 403)
  assert.equal((await post(api, newCopy(1, { fields: { secondary: 'false' } }), 'peer')).status, 400)
  assert.deepEqual(await rowsOf(api, 'subcloud'), [])
})

test('a subcloud that somebody else is to deploy is not deployed, and says so', async t => {
  const api = await startApi(t)
  const plain = newSubcloud()
  const { body } = await post(api, { ...plain, fields: without(plain.fields ?? {}, 'migrate', 'name') })
  assert.deepEqual([body['deploy-status'], String(body['region-name']).length], ['not-deployed', 32])
  assert.match(String(body['error-description']), /deploys no software/)
})

const values = (rest: Readonly<Record<string, unknown>>, ...left: readonly string[]): Parts => ({
  files: { bootstrap_values: without(valuesOf(1, rest), ...left) },
})
const field = (name: string, value: string): Parts => ({ fields: { [name]: value } })
const MANDATORY = Object.keys(without(valuesOf(1), 'docker_registries', 'name'))

const ofController = {
  management_subnet: '192.168.204.0/24',
  management_start_address: '192.168.204.200',
  management_end_address: '192.168.204.210',
  management_gateway_address: '192.168.204.1',
}

/** Request, code, text. */
const REFUSED: readonly (readonly [string, Parts, number, RegExp])[] = [
  ['migrate that is no flag', field('migrate', 'yes'), 400, /Invalid migrate/],
  ['secondary that is no flag', field('secondary', '1'), 400, /Invalid secondary/],
  ['migrate and enroll', field('enroll', 'true'), 400, /migrate is not allowed/],
  ['migrate and deploy_config', { files: { deploy_config: 'a: 1' } }, 400, /migrate is not allowed/],
  ['migrate and secondary', field('secondary', 'true'), 400, /secondary is not allowed/],
  ['another name than in the file', field('name', 's9'), 400, /name in bootstrap_values/],
  ['a name with bad characters', field('name', 's.9'), 400, /Invalid name/],
  ['a password that is not base64', field('sysadmin_password', CANARIES.sysadmin), 400, /Invalid sysadmin_password/],
  ['a bootstrap address that is none', field('bootstrap-address', 'host'), 400, /Invalid bootstrap-address/],
  ['a release that is none', field('release', 'latest'), 400, /Invalid release/],
  ['a release that is too new', field('release', '25.03'), 400, /not supported/],
  ['a release that is too old', field('release', '21.12'), 400, /not supported/],
  ['a group that is not there', field('group_id', '9'), 400, /Invalid group_id/],
  [
    'values that are no YAML',
    { files: { bootstrap_values: `a: [${CANARIES.admin}` } },
    400,
    /Invalid bootstrap_values/,
  ],
  ['values that are a list', { files: { bootstrap_values: '- a' } }, 400, /Invalid bootstrap_values/],
  ['values that are empty', { files: { bootstrap_values: '' } }, 400, /Invalid bootstrap_values/],
  [
    'install values without what is needed',
    { files: { install_values: { bmc_username: 'x' } } },
    400,
    /Missing in inst/,
  ],
  ...MANDATORY.map(name => [`values without ${name}`, values({}, name), 400, new RegExp(`Missing.*${name}`)] as const),
  ['a mode that there is not', values({ system_mode: 'triplex' }), 400, /Invalid system_mode/],
  ['a subnet that is none', values({ management_subnet: '10.1.1.1/24' }), 400, /Invalid management_subnet/],
  ['a subnet that is too small', values({ management_subnet: '10.1.1.0/31' }), 400, /at least 4/],
  ['a duplex with 4 addresses', values({ management_subnet: '10.1.1.0/30', system_mode: 'duplex' }), 400, /at least 8/],
  ['a start above its end', values({ management_start_address: '10.1.1.60' }), 400, /below management_end/],
  ['a start that is outside', values({ management_start_address: '10.9.1.2' }), 400, /start_address is not in/],
  ['a gateway that is outside', values({ management_gateway_address: '10.9.1.2' }), 400, /gateway_address is not in/],
  ['the network of the controller', values(ofController), 400, /overlaps the one of the system controller/],
  [
    'a controller gateway outside',
    values({ systemcontroller_gateway_address: '10.0.0.1' }),
    400,
    /not in the management/,
  ],
  [
    'a controller gateway of its hosts',
    values({ systemcontroller_gateway_address: '192.168.204.3' }),
    400,
    /address pool/,
  ],
  [
    'an OAM gateway that is outside',
    values({ external_oam_gateway_address: '10.9.1.2' }),
    400,
    /oam_gateway_address is/,
  ],
  ['an OAM subnet in the management one', values({ external_oam_subnet: '10.1.1.0/25' }), 400, /overlaps management/],
  ['an admin subnet without addresses', values({ admin_subnet: '10.3.1.0/24' }), 400, /Invalid admin_start_address/],
]
for (const [what, parts, status, text] of REFUSED)
  test(`subcloud post with ${what}: ${status}, nothing written`, async t => {
    const api = await startApi(t, readsRegion())
    const before = await everything(api)
    const answer = await post(api, newSubcloud(1, parts))
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.text, text)
    for (const canary of Object.values(CANARIES)) assert.equal(answer.text.includes(canary), false, canary)
    assert.deepEqual(await everything(api), before)
  })

test('subcloud post without a part that is needed: 400', async t => {
  const api = await startApi(t, readsRegion())
  const whole = newSubcloud()
  const fields = whole.fields ?? {}
  for (const name of ['bootstrap-address', 'sysadmin_password']) {
    const answer = await post(api, { ...whole, fields: without(fields, name) })
    assert.deepEqual([answer.status, answer.text.includes(`Missing ${name}`)], [400, true], name)
  }
  assert.match((await post(api, { fields })).text, /Missing bootstrap_values/)
  assert.match(
    (await post(api, { ...newCopy(), fields: without(newCopy().fields ?? {}, 'region_name') }, 'peer')).text,
    /region_name/,
  )
  assert.equal((await ask(api, 'POST', '/')).status, 400)
  const broken = { 'content-type': 'multipart/form-data; boundary=x' }
  assert.equal((await api.call('POST', '/subclouds', 'no parts', broken)).status, 400)
  assert.deepEqual(await rowsOf(api, 'subcloud'), [])
})

test('subcloud post of a name that is taken: 409, before the subcloud is asked anything', async t => {
  const api = await startApi(t, readsRegion())
  await givenSubcloud(api)
  const before = asked.length
  assert.equal((await post(api, newSubcloud())).status, 409)
  assert.equal(asked.length, before)
})

test('subcloud post of addresses that another one has: 400', async t => {
  const api = await startApi(t, readsRegion())
  await givenSubcloud(api, 2, { management_start_ip: '10.1.1.40', management_end_ip: '10.1.1.60' })
  const { status, text } = await post(api, newSubcloud())
  assert.deepEqual([status, text.includes('overlap those of subcloud s2')], [400, true])
})

test('subcloud post with migrate of a region that is known, or that cannot be read: 400', async t => {
  const api = await startApi(t, readsRegion('2'.padStart(32, '0')))
  await givenSubcloud(api, 2)
  assert.match((await post(api, newSubcloud())).text, /region already exists/)
  const silent = await startApi(t, { regionReader: { regionOf: () => Promise.reject(new Error(CANARIES.sysadmin)) } })
  const { status, text } = await post(silent, newSubcloud())
  assert.deepEqual(
    [status, text.includes('could not be read at 10.2.1.5'), text.includes('canary')],
    [400, true, false],
  )
  assert.deepEqual(await rowsOf(silent, 'subcloud'), [])
})

test('a copy of a region that is known: 409', async t => {
  const api = await startApi(t)
  assert.equal((await post(api, newCopy(), 'peer')).status, 200)
  const other = newCopy(2, { fields: { region_name: '1'.padStart(32, 'a') } })
  assert.equal((await post(api, other, 'peer')).status, 409)
})
