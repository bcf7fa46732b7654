import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type Answer, causeFields } from '../../../test/api.ts'
import { inProcess } from '../../../test/fixture.ts'
import { createCertificateRequest } from '../../pki/index.ts'

const at = inProcess()
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const condition = (type: string, more = {}) => ({ type, status: 'True', reason: 'Test', ...more })

/** A request whose signer is somebody else, so that nothing happens to it by itself. */
function ask(name: string, more = {}) {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const request = base64(createCertificateRequest({ user: 'agent', groups: ['agents'], key }))
  return { metadata: { name }, spec: { request, signerName: 'example.com/own', usages: ['client auth'], ...more } }
}

async function pending(name: string) {
  await at.api.create(requests, ask(name))
  const write = (part: string) => (status: unknown) => at.api.merge(`${requests}/${name}/${part}`, { status })
  return { status: write('status'), approval: write('approval'), path: `${requests}/${name}` }
}

const verdict = ({ status, body }: Answer) => [status, body.message]
const isInvalid = (name: string, why: string) => [
  422,
  `CertificateSigningRequest.certificates.k8s.io "${name}" is invalid: ${why}`,
]

test('Failed is set through status and stays', async () => {
  const { status, approval } = await pending('failed')
  assert.equal((await status({ conditions: [condition('Failed')] })).status, 200)
  const why = 'status.conditions: Forbidden: updates may not remove a condition of type "Failed"'
  assert.deepEqual(verdict(await status({ conditions: [] })), isInvalid('failed', why))
  assert.deepEqual(verdict(await approval({ conditions: [condition('Approved')] })), isInvalid('failed', why))
})

test('a decision is made and reworded through approval alone', async () => {
  const { status, approval } = await pending('decided')
  const decided = condition('Denied', { message: 'no' })
  for (const type of ['Approved', 'Denied'])
    assert.deepEqual(
      verdict(await status({ conditions: [condition(type)] })),
      isInvalid('decided', `status.conditions: Forbidden: updates may not add a condition of type "${type}"`),
    )
  assert.equal((await approval({ conditions: [decided] })).status, 200)
  assert.deepEqual(
    verdict(await status({ conditions: [{ ...decided, message: 'yes' }] })),
    isInvalid('decided', 'status.conditions: Forbidden: updates may not modify a condition of type "Denied"'),
  )
  assert.equal((await status({ conditions: [decided, condition('Own', { status: 'Unknown' })] })).status, 200)
  const reworded = await approval({ conditions: [{ ...decided, message: 'never' }] })
  assert.equal(reworded.status, 200)
  assert.match(reworded.text, /never/)
})

test('a decision cannot be taken back or turned round', async () => {
  const { approval } = await pending('kept')
  assert.equal((await approval({ conditions: [condition('Approved')] })).status, 200)
  const gone = 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
  assert.deepEqual(verdict(await approval({ conditions: [] })), isInvalid('kept', gone))
  assert.deepEqual(verdict(await approval({ conditions: [condition('Denied')] })), isInvalid('kept', gone))
  assert.deepEqual(
    verdict(await approval({ conditions: [condition('Approved'), condition('Denied')] })),
    isInvalid(
      'kept',
      'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ),
  )
})

test('conditions have a type of their own and a status that the type allows', async () => {
  const { status, approval } = await pending('shaped')
  const conditions = [condition('Own'), condition('Own'), condition(''), condition('B', { status: '' })]
  assert.deepEqual(causeFields(await status({ conditions })), [
    'status.conditions[1].type',
    'status.conditions[2].type',
    'status.conditions[3].status',
  ])
  const wrong = await approval({
    conditions: [condition('Approved', { status: 'False' }), condition('Own', { status: 'Maybe' })],
  })
  assert.deepEqual(
    wrong.body.details.causes.map(one => one.message),
    [
      'Unsupported value: "False": supported values: "True"',
      'Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    ],
  )
})

test('a certificate is a certificate, comes through status, and is never exchanged', async () => {
  const { status, approval, path } = await pending('signed')
  const authority = (await at.api.get('/api/v1/namespaces/default/configmaps/kube-root-ca.crt')).body.data['ca.crt']
  const certificate = base64(String(authority))
  assert.equal((await approval({ certificate })).body.status?.['certificate'], undefined)
  assert.equal((await at.api.merge(path, { status: { certificate } })).body.status, undefined)
  const bad: [string, string][] = [
    ['no PEM', 'must contain one or more CERTIFICATE PEM blocks'],
    [String(authority).replaceAll(' CERTIFICATE', ' KEY'), 'only CERTIFICATE PEM blocks are allowed, found "KEY"'],
    [String(authority).replace('\n', '\na: b\n\n'), 'no PEM block headers are permitted'],
    ['-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n', 'malformed certificate'],
  ]
  for (const [text, why] of bad)
    assert.deepEqual(
      verdict(await status({ certificate: base64(text) })),
      isInvalid('signed', `status.certificate: Invalid value: "<certificate data>": ${why}`),
    )
  assert.equal((await status({ certificate })).status, 200)
  const kept = isInvalid('signed', 'status.certificate: Forbidden: updates may not modify existing certificate content')
  assert.deepEqual(verdict(await status({ certificate: base64(String(authority).repeat(2)) })), kept)
  assert.deepEqual(verdict(await status({ certificate: null })), kept)
  assert.equal((await approval({ conditions: [condition('Approved')] })).body.status['certificate'], certificate)
})

test('the legacy signer and repeated usages are refused', async () => {
  const legacy = await at.api.send('POST', requests, ask('l', { signerName: 'kubernetes.io/legacy-unknown' }))
  assert.deepEqual(
    verdict(legacy),
    isInvalid(
      'l',
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
    ),
  )
  const twice = await at.api.send('POST', requests, ask('t', { usages: ['client auth', 'client auth'] }))
  assert.deepEqual(verdict(twice), isInvalid('t', 'spec.usages[1]: Duplicate value: "client auth"'))
})
