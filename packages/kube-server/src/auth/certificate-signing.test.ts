import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { JsonObject } from '../api/object.ts'
import { createCertificateRequest } from '../pki/index.ts'
import {
  assertMayApprove,
  assertMaySign,
  assertSubjectAllowed,
  clientSigner,
  signingDecision,
} from './certificate-signing.ts'
import { bind, clusterRole, newCluster, put, toUser, user } from './cluster-fixture.ts'

const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const requestFor = (...groups: string[]) =>
  Buffer.from(createCertificateRequest({ user: 'agent', groups, key })).toString('base64')
const approved = { type: 'Approved', status: 'True' }

const csr = (spec: JsonObject = {}, status: JsonObject = {}): JsonObject => ({
  metadata: { name: 'c' },
  spec: { request: requestFor('g'), signerName: clientSigner, usages: ['client auth', 'digital signature'], ...spec },
  status,
})

async function authorizerFor(verb: string, signerName: string) {
  const { store, authorizer } = newCluster()
  const rule = {
    verbs: [verb],
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: [signerName],
  }
  await put(store, clusterRole('r', rule))
  await put(store, bind('b', '', 'ClusterRole/r', toUser('bob')))
  return authorizer
}

const bob = user('bob')

test('who may approve for a signer, or for all of its domain, may approve its requests', async () => {
  for (const signerName of [clientSigner, 'kubernetes.io/*']) {
    assertMayApprove({ authorizer: await authorizerFor('approve', signerName), user: bob, csr: csr() })
  }
})

test('who may not approve for the signer is told so', async () => {
  const authorizer = await authorizerFor('approve', 'example.com/other')
  assert.throws(() => assertMayApprove({ authorizer, user: bob, csr: csr() }), {
    code: 403,
    message:
      'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  })
})

test('only certificate and failure need the permission to sign', async () => {
  const nobody = await authorizerFor('approve', clientSigner)
  const stored = csr({}, { conditions: [approved] })
  const failed = { conditions: [approved, { type: 'Failed', status: 'True' }] }
  const use = { authorizer: nobody, user: bob, csr: stored }
  assertMaySign(use, csr({}, { conditions: [approved, { type: 'Own', status: 'True' }] }))
  assert.throws(() => assertMaySign(use, csr({}, failed)), { code: 403 })
  assert.throws(
    () => assertMaySign(use, csr({}, { conditions: [approved], certificate: 'YQ==' })),
    /not permitted to sign/,
  )
  const signer = { ...use, authorizer: await authorizerFor('sign', clientSigner) }
  assertMaySign(signer, csr({}, failed))
})

test('nobody becomes a master through the client signer', () => {
  assertSubjectAllowed(csr())
  assertSubjectAllowed(csr({ request: requestFor('system:masters'), signerName: 'example.com/own' }))
  assert.throws(() => assertSubjectAllowed(csr({ request: requestFor('a', 'system:masters') })), {
    code: 403,
    message:
      'certificatesigningrequests.certificates.k8s.io "c" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  })
})

const decisions: readonly [string, JsonObject, string][] = [
  ['not approved', csr(), 'nothing'],
  ['approved', csr({}, { conditions: [approved] }), 'sign'],
  ['denied', csr({}, { conditions: [{ type: 'Denied', status: 'True' }] }), 'nothing'],
  ['signed', csr({}, { conditions: [approved], certificate: 'YQ==' }), 'nothing'],
  ['failed', csr({}, { conditions: [approved, { type: 'Failed', status: 'True' }] }), 'nothing'],
  ['approved for another signer', csr({ signerName: 'a.b/c' }, { conditions: [approved] }), 'nothing'],
  ['approved for a server', csr({ usages: ['server auth'] }, { conditions: [approved] }), 'fail'],
  [
    'approved for more than a client',
    csr({ usages: ['client auth', 'server auth'] }, { conditions: [approved] }),
    'fail',
  ],
  ['approved but unreadable', csr({ request: 'YQ==' }, { conditions: [approved] }), 'fail'],
]

for (const [what, object, expected] of decisions) {
  test(`the signer does ${expected} about a request that is ${what}`, () => {
    assert.equal(signingDecision(object).do, expected)
  })
}

test('a certificate lives as long as asked, at least ten minutes, at most a year', () => {
  const seconds = (spec: JsonObject) => {
    const decision = signingDecision(csr(spec, { conditions: [approved] }))
    return decision.do === 'sign' ? decision.ttlSeconds : undefined
  }
  const year = 365 * 86_400
  assert.deepEqual(
    [{}, { expirationSeconds: 3600 }, { expirationSeconds: 1 }, { expirationSeconds: year * 2 }].map(seconds),
    [year, 3600, 600, year],
  )
})
