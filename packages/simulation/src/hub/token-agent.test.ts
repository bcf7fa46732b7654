import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type KubeClient, KubeError, type KubeObject, resources } from '@godwit/kube'
import { eventually } from '../../test/eventually.ts'
import { startWorld, type World } from '../../test/world.ts'
import { isTrue } from '../foreign/conditions.ts'
import { ADDON_NAMESPACE } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManagedServiceAccount, Secret } from '../foreign/types.ts'

describe('managed-serviceaccount agent', () => {
  let world: World
  let global: KubeClient
  before(async () => {
    world = await startWorld({ count: 0 })
    global = world.fleet.globalClient
  })
  after(() => world.stop())

  const ref = (name: string) => ({ name, namespace: 'hub2' })
  const account = (name: string) =>
    global.create(foreign.managedServiceAccounts, {
      apiVersion: 'authentication.open-cluster-management.io/v1beta1',
      kind: 'ManagedServiceAccount',
      metadata: ref(name),
      spec: { rotation: { enabled: true, validity: '24h' } },
    } as KubeObject)
  const readToken = async (name: string) => {
    const secret = await global.get<Secret>(resources.secrets, ref(name))
    return secret?.data?.['token'] && Buffer.from(secret.data['token'], 'base64').toString()
  }
  const untilReported = (name: string) =>
    eventually(`${name} has a token`, async () => {
      const found = await global.get<ManagedServiceAccount>(foreign.managedServiceAccounts, ref(name))
      return found !== undefined && isTrue(found, 'TokenReported') && Boolean(await readToken(name))
    })
  /** Status with which hub2 answers to a token: 403 for one it knows, 401 for one it does not. */
  const answerTo = async (token: string | undefined) => {
    try {
      await world.fleet
        .client('hub2')
        .as({ token: token ?? '' })
        .list(resources.secrets)
      return 200
    } catch (error) {
      return error instanceof KubeError ? error.status : 0
    }
  }

  test('the token is of a ServiceAccount on the hub, and dies with the ManagedServiceAccount', async () => {
    await account('mover')
    await untilReported('mover')
    const token = await readToken('mover')
    const local = { name: 'mover', namespace: ADDON_NAMESPACE }
    assert.ok(await world.fleet.client('hub2').get(resources.serviceAccounts, local))
    assert.equal(await answerTo(token), 403)
    await global.delete(foreign.managedServiceAccounts, ref('mover'))
    await eventually('the token is refused', async () => (await answerTo(token)) === 401)
    await eventually('the Secret is collected', async () => !(await global.get(resources.secrets, ref('mover'))))
  })

  test('a Secret that is lost comes back', async () => {
    await account('lost')
    await untilReported('lost')
    await global.delete(resources.secrets, ref('lost'))
    await eventually('there is a new token', async () => Boolean(await readToken('lost')))
    assert.equal(await answerTo(await readToken('lost')), 403)
  })

  test('a ServiceAccount that is lost comes back with another token', async () => {
    await account('reborn')
    await untilReported('reborn')
    const before = await readToken('reborn')
    await world.fleet.client('hub2').delete(resources.serviceAccounts, { name: 'reborn', namespace: ADDON_NAMESPACE })
    await eventually('there is another token', async () => (await readToken('reborn')) !== before)
    await eventually('it is known', async () => (await answerTo(await readToken('reborn'))) === 403)
    assert.equal(await answerTo(before), 401)
  })
})
