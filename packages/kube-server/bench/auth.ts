// node packages/kube-server/bench/auth.ts: how many requests a second access control and token checks can answer on a
// hub with 3,000 managed clusters, each with four RBAC objects of its own.
import { performance } from 'node:perf_hooks'
import type { Access } from '../src/auth/access.ts'
import { Authenticator } from '../src/auth/authenticator.ts'
import { bootstrapPolicy } from '../src/auth/bootstrap-policy.ts'
import { bind, clusterRole, newCluster, put, role, rule, toGroup } from '../src/auth/cluster-fixture.ts'
import { newSigningKeyPem } from '../src/auth/jwt.ts'
import { RbacAuthorizer } from '../src/auth/rbac-authorizer.ts'
import { ServiceAccountTokens } from '../src/auth/service-account-tokens.ts'
import { createAuthority, issueClientCertificate, issueServerCertificate } from '../src/pki/index.ts'

const CLUSTERS = 3000
const DURATION_MS = 1000

function report(what: string, count: number, elapsedMs: number): void {
  const each = (elapsedMs / count) * 1000
  console.log(
    `${what.padEnd(58)} ${Math.round((count / elapsedMs) * 1000)
      .toLocaleString('en')
      .padStart(12)}/s  ${each.toFixed(2)} µs`,
  )
}

/** Calls `run` with a growing number for a while. */
function measure(what: string, run: (index: number) => void): void {
  for (let index = 0; index < 1000; index++) run(index)
  const start = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < DURATION_MS) {
    for (let batch = 0; batch < 100; batch++) run(count++)
    elapsed = performance.now() - start
  }
  report(what, count, elapsed)
}

const cluster = newCluster()
const { store, clock } = cluster
const group = (index: number) => `system:open-cluster-management:cluster-${index}`

const writing = performance.now()
for (const { kind, metadata, apiVersion: _, ...body } of bootstrapPolicy()) {
  await put(store, { kind, name: metadata.name, labels: metadata.labels, body })
}
for (let index = 0; index < CLUSTERS; index++) {
  const name = `cluster-${index}`
  const own = {
    apiGroups: ['cluster.open-cluster-management.io'],
    resources: ['managedclusters', 'managedclusters/status'],
    verbs: ['get', 'list', 'watch', 'update', 'patch'],
    resourceNames: [name],
  }
  await put(store, clusterRole(`managedcluster:${name}`, own))
  await put(store, bind(`managedcluster:${name}`, '', `ClusterRole/managedcluster:${name}`, toGroup(group(index))))
  const work = {
    apiGroups: ['work.open-cluster-management.io'],
    resources: ['manifestworks', 'manifestworks/status'],
    verbs: ['get', 'list', 'watch', 'update', 'patch'],
  }
  await put(store, role('agent', name, work, rule(['get', 'create', 'update', 'patch'], ['events', 'leases'])))
  await put(store, bind('agent', name, 'Role/agent', toGroup(group(index))))
}
report('RBAC object written and indexed', CLUSTERS * 4, performance.now() - writing)

const building = performance.now()
const authorizer = new RbacAuthorizer(store)
console.log(`index of ${CLUSTERS * 4} objects built in ${(performance.now() - building).toFixed(0)} ms`)

const agents = Array.from({ length: CLUSTERS }, (_, index) => ({
  name: `${group(index)}:agent`,
  groups: [group(index), 'system:open-cluster-management:managed-clusters', 'system:authenticated'],
}))
const accessOf = (index: number, more: Partial<Access>): Access => {
  const user = agents[index % CLUSTERS] ?? agents[0] ?? { name: '', groups: [] }
  const access = {
    user,
    verb: 'patch',
    group: 'work.open-cluster-management.io',
    resource: 'manifestworks',
    subresource: 'status',
    name: 'w',
  }
  return { ...access, namespace: `cluster-${index % CLUSTERS}`, ...more } as Access
}
const mine = Array.from({ length: CLUSTERS }, (_, index) => accessOf(index, {}))
const others = Array.from({ length: CLUSTERS }, (_, index) =>
  accessOf(index, { namespace: `cluster-${(index + 1) % CLUSTERS}` }),
)
const at = (list: readonly Access[], index: number) => list[index % CLUSTERS] as Access

measure('authorize: an agent in its own namespace (allowed)', index => {
  if (!authorizer.authorize(at(mine, index)).allowed) throw new Error('must be allowed')
})
measure('authorize: an agent in a foreign namespace (denied)', index => {
  if (authorizer.authorize(at(others, index)).allowed) throw new Error('must be denied')
})

await put(store, { kind: 'ServiceAccount', name: 'agent', namespace: 'ns', uid: 'u' })
const serviceAccount = store.get({ collection: 'serviceaccounts', namespace: 'ns', name: 'agent' })
if (!serviceAccount) throw new Error('no account')
const signingKeyPem = newSigningKeyPem()
const issuer = new ServiceAccountTokens({ ...cluster, signingKey: signingKeyPem })
const issue = () => issuer.issue({ serviceAccount, expirationSeconds: 3600 }).token
const tokens = Array.from({ length: 20_000 }, issue)
measure('issue a token', () => issue())

const fresh = new ServiceAccountTokens({ ...cluster, signingKey: signingKeyPem })
const startFresh = performance.now()
for (const token of tokens) fresh.verify(token)
report('verify a token never seen before', tokens.length, performance.now() - startFresh)
const known = tokens.slice(0, CLUSTERS)
for (const token of known) fresh.verify(token)
measure('verify a token seen before (liveness checked again)', index => {
  if (!fresh.verify(known[index % CLUSTERS] ?? '')) throw new Error('must be good')
})

const starting = performance.now()
const clientAuthority = await createAuthority({ commonName: 'ca', now: clock.now() })
await issueServerCertificate(clientAuthority, { hosts: ['localhost', '127.0.0.1'], now: clock.now() })
console.log(`authority and server certificate made in ${(performance.now() - starting).toFixed(1)} ms`)
const { certPem } = await issueClientCertificate(clientAuthority, {
  user: 'agent',
  groups: [group(0)],
  ttlSeconds: 3600,
  now: clock.now(),
})
const authenticator = new Authenticator({ ...cluster, tokens: fresh, clientAuthority })
measure('authenticate by a client certificate seen before', () =>
  authenticator.authenticate({ clientCertificate: certPem }),
)
measure('authenticate by a token seen before, and authorize', index => {
  const user = authenticator.authenticate({ authorization: `Bearer ${known[index % CLUSTERS]}` })
  authorizer.authorize({ ...at(mine, index), user })
})
