import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { KubeClient, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { inClusterKubeconfig } from './in-cluster.ts'

test('a pod reaches its API server with the token and CA that its kubelet mounts', async () => {
  const server = await KubeServer.start({ tls: true, auth: { users: [{ name: 'pod', token: 'pod-token' }] } })
  const folder = mkdtempSync(join(tmpdir(), 'godwit-pod-'))
  try {
    const { hostname, port } = new URL(server.url)
    writeFileSync(join(folder, 'token'), 'pod-token\n')
    writeFileSync(join(folder, 'ca.crt'), server.caPem)
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
    const client = KubeClient.fromKubeconfig(inClusterKubeconfig(env, folder))
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const path = `/apis/authentication.k8s.io/v1/${resources.selfSubjectReviews.plural}`
    const answer = await client.post<object, { status?: { userInfo?: { username?: string } } }>(path, review)
    assert.equal(answer.status?.userInfo?.username, 'pod')
    await client.close()
  } finally {
    rmSync(folder, { recursive: true })
    await server.stop()
  }
})

test('outside of a pod it says what to give instead; an IPv6 address is put into brackets', () => {
  assert.throws(() => inClusterKubeconfig({}), /give --kubeconfig/)
  assert.throws(() => inClusterKubeconfig({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, '/nowhere'), /give --kubeconfig/)
  const folder = mkdtempSync(join(tmpdir(), 'godwit-pod-'))
  writeFileSync(join(folder, 'token'), 't')
  assert.match(inClusterKubeconfig({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, folder).text, /"https:\/\/\[fd00::1\]:443"/)
  rmSync(folder, { recursive: true })
})
