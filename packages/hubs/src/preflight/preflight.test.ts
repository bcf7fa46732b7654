import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { VirtualClock } from '@godwit/ports'
import { provisioning } from '../api/index.ts'
import { agentRulesOnGlobalHub, agentRulesOnHub, clusterRoleFor, type PolicyRule, roleFor } from '../rbac.ts'
import { agentPreflight } from './parties.ts'
import { permissionsOf, sayLacking, sayPermission } from './permission.ts'
import { Preflight } from './preflight.ts'

const AGENT = 'agent'

async function withServer(body: (admin: KubeClient, agent: KubeClient) => Promise<void>): Promise<void> {
  const server = await KubeServer.start({ listen: false, auth: { users: [{ name: AGENT, token: 'agent-token' }] } })
  try {
    const admin = new KubeClient({ transport: server.transport() })
    await body(admin, admin.as({ user: AGENT }))
  } finally {
    await server.stop()
  }
}

const createAll = async (client: KubeClient, objects: readonly KubeObject[]) => {
  for (const object of objects) {
    const kinds = Object.values(resources)
    const resource = kinds.find(({ kind }) => kind === object.kind)
    assert.ok(resource)
    await client.create(resource, object)
  }
}

const without = (rules: readonly PolicyRule[], verb: string, kind: string) =>
  rules
    .map(rule =>
      rule.resources.includes(kind) ? { ...rule, verbs: rule.verbs.filter(other => other !== verb) } : rule,
    )
    .filter(({ verbs }) => verbs.length > 0)

test('every verb of every resource of a rule is one permission, subresources and names included', () => {
  const rules = [
    { apiGroups: ['g'], resources: ['as', 'as/status'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['bs'], verbs: ['bind'], resourceNames: ['x', 'y'] },
  ]
  assert.deepEqual(permissionsOf(rules, 'ns').map(sayPermission), [
    'get as.g in namespace ns',
    'patch as.g in namespace ns',
    'get as.g/status in namespace ns',
    'patch as.g/status in namespace ns',
    'bind bs x in namespace ns',
    'bind bs y in namespace ns',
  ])
})

test('a sentence names party, verb, resource, place and what to apply, and not more than three of many', () => {
  const missing = permissionsOf([{ apiGroups: [''], resources: ['a'], verbs: ['w', 'x', 'y', 'z'] }])
  assert.equal(
    sayLacking({ party: 'agent of hub h', server: 'hub h', missing, grantedBy: 'ClusterRole c' }),
    'the agent of hub h may not w a in all namespaces; x a in all namespaces; y a in all namespaces and 1 more on hub h: apply ClusterRole c again',
  )
})

test('whoever has exactly the shipped rules lacks nothing, and each verb that is taken away is found', () =>
  withServer(async (admin, agent) => {
    const clock = new VirtualClock()
    const rules = agentRulesOnHub
    await createAll(admin, clusterRoleFor(AGENT, 'agent', rules))
    const missing = () => new Preflight({ client: agent, rules, clock }).missing()
    assert.deepEqual(await missing(), [])
    const ref = { name: 'agent' }
    for (const [verb, kind] of [
      ['delete', 'leases'],
      ['update', 'managedclusters/accept'],
      ['bind', 'clusterroles'],
    ] as const) {
      await admin.patch(resources.clusterRoles, ref, { rules: without(rules, verb, kind) })
      const said = (await missing()).map(sayPermission)
      assert.ok(said.length > 0 && said.every(text => text.startsWith(`${verb} `)), said.join())
    }
  }))

test('kinds that a hub does not serve are not asked about', () =>
  withServer(async (admin, agent) => {
    const clock = new VirtualClock()
    const rules = agentRulesOnHub.filter(rule => rule.apiGroups[0] === 'metal3.io')
    const optional = Object.values(provisioning)
    assert.deepEqual(await new Preflight({ client: agent, rules, clock, optional }).missing(), [])
    assert.equal(admin.calls.of('post'), 0)
    assert.ok((await new Preflight({ client: agent, rules, clock }).missing()).length > 0)
  }))

test('a good answer is remembered for a while, a bad one is asked again, and who asks meanwhile shares it', () =>
  withServer(async (admin, agent) => {
    const clock = new VirtualClock()
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]
    const preflight = new Preflight({ client: agent, rules, clock })
    const [first, second] = await Promise.all([preflight.missing(), preflight.missing()])
    assert.deepEqual([first.length, second.length, agent.calls.of('post')], [2, 2, 2])
    await createAll(admin, clusterRoleFor(AGENT, 'agent', rules))
    assert.deepEqual(await preflight.missing(), [])
    assert.equal(agent.calls.of('post'), 4)
    await admin.delete(resources.clusterRoleBindings, { name: 'agent' })
    assert.deepEqual(await preflight.missing(), [])
    clock.advance(700_000)
    assert.equal((await preflight.missing()).length, 2)
  }))

test('an agent asks both of its servers; on the global hub only about the namespace of its hub', () =>
  withServer(async (admin, agent) => {
    const clock = new VirtualClock()
    await createAll(admin, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hub1' } }])
    const ask = () => agentPreflight({ hubName: 'hub1', hub: agent, globalHub: agent, clock })()
    const [onHub = '', onGlobalHub = ''] = ((await ask()) ?? '').split(' again; ')
    assert.match(onHub, /the agent of hub hub1 may not get managedclusters.* on hub hub1: apply ClusterRole/)
    assert.match(onGlobalHub, /get migrationtasks.godwit.dev in namespace hub1; .* on the global hub: apply Role/)
    await createAll(admin, clusterRoleFor(AGENT, 'agent', agentRulesOnHub))
    assert.match((await ask()) ?? '', /^the agent of hub hub1 may not get migrationtasks/)
    await createAll(admin, roleFor(AGENT, 'agent', 'hub1', agentRulesOnGlobalHub))
    assert.equal(await ask(), undefined)
  }))
