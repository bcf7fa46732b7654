import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { Api } from '../../test/api.ts'
import { KubeServer } from '../index.ts'
import { createCertificateRequest } from '../pki/index.ts'

const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

function request(name: string, user: string) {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const pem = createCertificateRequest({ user, groups: [], key })
  const signerName = 'kubernetes.io/kube-apiserver-client'
  return {
    metadata: { name },
    spec: { request: Buffer.from(pem).toString('base64'), signerName, usages: ['client auth'] },
  }
}

test('what was decided about one request never goes to another one of its name', async () => {
  let swap: (() => Promise<unknown>) | undefined
  const server = await KubeServer.start({
    listen: false,
    clock: new VirtualClock(),
    approver: () => {
      const isFirst = swap !== undefined
      void swap?.()
      swap = undefined
      return isFirst ? true : undefined
    },
  })
  const api = new Api(server.transport())
  let replaced: Promise<unknown> | undefined
  swap = () => {
    replaced = Promise.all([api.delete(`${requests}/swapped`), api.create(requests, request('swapped', 'impostor'))])
    return replaced
  }
  const { metadata } = await api.create(requests, request('swapped', 'honest'))
  await server.idle()
  await replaced
  await server.idle()
  const { body } = await api.get(`${requests}/swapped`)
  assert.notEqual(body.metadata.uid, metadata.uid)
  assert.equal(body.status, undefined)
  await server.stop()
})
