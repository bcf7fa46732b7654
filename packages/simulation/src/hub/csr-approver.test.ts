import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type KubeClient, resources } from '@godwit/kube'
import { eventually } from '../../test/eventually.ts'
import { startHub, type TestHub } from '../../test/world.ts'
import { isTrue } from '../foreign/conditions.ts'
import {
  AUTO_APPROVAL_GATE,
  agentGroups,
  agentUser,
  bootstrapServiceAccount,
  CLUSTER_MANAGER,
  conditions,
  roles,
} from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { CertificateSigningRequest, ManagedCluster, RoleBinding } from '../foreign/types.ts'
import { createCsr } from '../klusterlet/bootstrap-calls.ts'
import { certificateRequest, readCertificate } from '../klusterlet/certificate-request.ts'
import { requestToken } from './service-account-token.ts'

describe('approval of certificate requests', () => {
  let hub: TestHub
  let client: KubeClient
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  before(async () => {
    hub = await startHub({ importControllerMode: 'legacy' })
    client = hub.client
  })
  after(() => hub.stop())

  const subjectOf = (cluster: string) => ({ user: agentUser(cluster, 'id'), groups: agentGroups(cluster) })
  const request = (as: KubeClient, cluster: string) =>
    createCsr(as, cluster, certificateRequest(subjectOf(cluster), privateKey))
  const certificateOf = async (name: string) => {
    const csr = await client.get<CertificateSigningRequest>(resources.certificateSigningRequests, { name })
    return csr?.status?.certificate && Buffer.from(csr.status.certificate, 'base64').toString()
  }
  const isIssued = (name: string) => eventually(`${name} is issued`, async () => Boolean(await certificateOf(name)))

  /** A user that may bootstrap, by its token. */
  async function account(namespace: string, name: string): Promise<KubeClient> {
    await client.create(resources.serviceAccounts, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace },
    })
    await client.create<RoleBinding>(resources.clusterRoleBindings, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${namespace}-${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roles.bootstrapAcm },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    })
    const { token } = await requestToken(client, { name, namespace }, 3600)
    return client.as({ token })
  }

  async function acceptedCluster(name: string): Promise<void> {
    await client.create<ManagedCluster>(foreign.managedClusters, {
      apiVersion: 'cluster.open-cluster-management.io/v1',
      kind: 'ManagedCluster',
      metadata: { name },
      spec: { hubAcceptsClient: true },
    })
    await eventually(`${name} is accepted`, async () => {
      const cluster = await client.get<ManagedCluster>(foreign.managedClusters, { name })
      return cluster !== undefined && isTrue(cluster, conditions.hubAccepted)
    })
  }

  test('listed users are approved only with the gate, and only after the rollout', async () => {
    const user = await account('default', 'mover')
    const name = await request(user, 'c1')
    const autoApproveUsers = ['system:serviceaccount:default:mover']
    const configure = (registrationConfiguration: object) =>
      client.patch(foreign.clusterManagers, { name: CLUSTER_MANAGER }, { spec: { registrationConfiguration } })
    await configure({ autoApproveUsers })
    await eventually('the users are rolled out', () => hub.world.flags.users.has('system:serviceaccount:default:mover'))
    assert.equal(await certificateOf(name), undefined, 'the gate is off')
    await configure({ autoApproveUsers, featureGates: [{ feature: AUTO_APPROVAL_GATE, mode: 'Enable' }] })
    await isIssued(name)
    const { user: common, groups } = readCertificate((await certificateOf(name)) ?? '')
    assert.deepEqual(
      { user: common, groups: groups.toSorted() },
      { ...subjectOf('c1'), groups: agentGroups('c1').toSorted() },
    )
    await configure({ autoApproveUsers: [], featureGates: [] })
    await eventually('the gate is off again', () => !hub.world.flags.isAutoApproving)
  })

  test("the import controller approves a cluster's own bootstrap identity, strangers wait", async () => {
    await acceptedCluster('c2')
    await eventually('the import controller made the identity', async () =>
      Boolean(await client.get(resources.serviceAccounts, { name: bootstrapServiceAccount('c2'), namespace: 'c2' })),
    )
    const own = await requestToken(client, { name: bootstrapServiceAccount('c2'), namespace: 'c2' }, 3600)
    const stranger = await request(await account('default', 'stranger'), 'c2')
    await isIssued(await request(client.as({ token: own.token }), 'c2'))
    assert.equal(await certificateOf(stranger), undefined)
  })

  test('an accepted agent renews its certificate', async () => {
    await acceptedCluster('c3')
    const agent = client.as({ ...subjectOf('c3'), groups: [...agentGroups('c3'), 'system:authenticated'] })
    await eventually('the agent has its permissions', async () => {
      try {
        await agent.list(resources.certificateSigningRequests)
        return true
      } catch {
        return false
      }
    })
    await isIssued(await request(agent, 'c3'))
  })

  test('decided requests are forgotten after a while', async () => {
    const { items } = await client.list<CertificateSigningRequest>(resources.certificateSigningRequests)
    const decided = items.filter(csr => csr.status?.certificate).map(csr => csr.metadata.name)
    assert.ok(decided.length >= 3)
    hub.knobs.csrKeepMs = 0
    for (const name of decided)
      await client.patch(
        resources.certificateSigningRequests,
        { name },
        { metadata: { annotations: { look: 'again' } } },
      )
    await eventually('they are gone', async () => {
      const left = await client.list<CertificateSigningRequest>(resources.certificateSigningRequests)
      return !left.items.some(csr => decided.includes(csr.metadata.name))
    })
  })
})
