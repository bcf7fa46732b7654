import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeServer } from '@godwit/kube-server'
import { parse } from 'yaml'
import { tlsExchange } from './tls-exchange.ts'

const get = (url: string) => ({ method: 'GET', url, headers: {}, body: undefined })

test('certificates are checked against the authorities that are given', async t => {
  const server = await KubeServer.start({ tls: true, auth: { users: [] } })
  t.after(() => server.stop())
  const config = parse(server.kubeconfig('admin')) as {
    readonly clusters: readonly { readonly cluster: { readonly 'certificate-authority-data': string } }[]
  }
  const ca = Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString()
  const [trusting, other] = [tlsExchange(ca), tlsExchange(undefined)]
  t.after(() => [trusting, other].map(({ close }) => close()))
  const answer = await trusting.exchange(get(`${server.url}/version`))
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.match(Buffer.from(answer.body).toString(), /^\{/)
  await assert.rejects(other.exchange(get(`${server.url}/version`)), /certificate/)
})

test('whoever does not answer, or is told to stop, is an error', async () => {
  const { exchange, close } = tlsExchange(undefined)
  await assert.rejects(exchange(get('https://127.0.0.1:1/')), { code: 'ECONNREFUSED' })
  await assert.rejects(exchange(get('https://127.0.0.1:1/'), AbortSignal.abort()), { name: 'AbortError' })
  close()
})
