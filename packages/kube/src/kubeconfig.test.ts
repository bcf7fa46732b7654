import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { KubeServer } from '@godwit/kube-server'
import { socketServer } from '../test/socket-server.ts'
import { caCert, clientCert, clientKey, otherCert, otherKey, serverCert, serverKey } from '../test/tls-fixture.ts'
import { KubeClient } from './client.ts'
import { KubeError } from './errors.ts'
import type { KubeconfigOptions, KubeconfigSource } from './kubeconfig.ts'

let folder = ''
let server: https.Server
let url = ''

/** Answers who called: the certificate, the token, whom they impersonate, which name they asked for. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  const tls = { cert: serverCert, key: serverKey, ca: caCert, requestCert: true, rejectUnauthorized: false }
  server = https.createServer(tls, (request, response) => {
    const socket = request.socket as TLSSocket
    const { authorization = '', 'impersonate-user': as } = request.headers
    if (authorization === 'Bearer expired') return void response.writeHead(401).end()
    const certificate = socket.authorized ? socket.getPeerCertificate().subject.CN : undefined
    response.end(JSON.stringify({ authorization, certificate, as, serverName: socket.servername || undefined }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Config {
  readonly cluster?: object
  readonly user?: object
}

const trusting = () => ({ server: url, 'certificate-authority-data': base64(caCert), 'tls-server-name': 'kube.test' })

const configOf = ({ cluster = trusting(), user = {} }: Config) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    { name: 'c', cluster },
    { name: 'elsewhere', cluster: { server: 'http://127.0.0.1:1' } },
  ],
  users: [{ name: 'u', user }],
  contexts: [
    { name: 'main', context: { cluster: 'c', user: 'u' } },
    { name: 'side', context: { cluster: 'elsewhere', user: 'u' } },
    { name: 'broken', context: { cluster: 'nowhere', user: 'u' } },
  ],
  'current-context': 'main',
})

/** A comment makes it YAML that is no JSON. */
const forms = {
  JSON: (config: object) => JSON.stringify(config),
  YAML: (config: object) => `# yaml\n${JSON.stringify(config)}`,
}

interface Seen {
  readonly authorization: string
  readonly certificate?: string
  readonly as?: string
  readonly serverName?: string
}

async function callWith(source: KubeconfigSource, options: KubeconfigOptions = {}): Promise<Seen> {
  const client = KubeClient.fromKubeconfig(source, options)
  try {
    return await client.request<Seen>('GET', '/whoami')
  } finally {
    await client.close()
  }
}

const failureOf = async (attempt: Promise<unknown>) => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof KubeError, inspect(error))
  return error
}

for (const [form, write] of Object.entries(forms)) {
  const call = (config: Config, options?: KubeconfigOptions) => callWith({ text: write(configOf(config)) }, options)

  test(`${form}: a token, a certificate and a name to ask for are used`, async () => {
    const serverName = 'kube.test'
    assert.deepEqual(await call({ user: { token: 't' } }), { authorization: 'Bearer t', serverName })
    const pair = { 'client-certificate-data': base64(clientCert), 'client-key-data': base64(clientKey) }
    assert.deepEqual(await call({ user: pair }), { authorization: '', certificate: 'client', serverName })
    assert.deepEqual(await call({}), { authorization: '', serverName })
  })

  test(`${form}: files are found beside the kubeconfig`, async () => {
    const files = { 'ca.pem': caCert, 'client.pem': clientCert, 'client.key': clientKey }
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
    const path = join(folder, `config-${form}`)
    const cluster = { server: url, 'certificate-authority': 'ca.pem', 'tls-server-name': 'kube.test' }
    const user = { 'client-certificate': 'client.pem', 'client-key': join(folder, 'client.key') }
    await writeFile(path, write(configOf({ cluster, user })))
    assert.equal((await callWith({ path })).certificate, 'client')
  })

  test(`${form}: a server that is not trusted is not spoken to, unless one insists`, async () => {
    const user = { token: 's3cret' }
    const untrusted = await failureOf(call({ cluster: { server: url }, user }))
    assert.deepEqual([untrusted.status, untrusted.reason], [0, 'ConnectionError'])
    const misnamed = { server: url, 'certificate-authority-data': base64(caCert) }
    await failureOf(call({ cluster: misnamed, user }))
    const reckless = { server: url, 'insecure-skip-tls-verify': true }
    assert.equal((await call({ cluster: reckless, user })).authorization, 'Bearer s3cret')
  })

  test(`${form}: another context can be chosen, and one that leads nowhere is named`, async () => {
    assert.equal((await failureOf(call({}, { context: 'side' }))).status, 0)
    for (const context of ['broken', 'absent'])
      assert.match((await failureOf(call({}, { context }))).message, new RegExp(`context "${context}"`))
  })

  test(`${form}: plain http without credentials is as good as kubectl finds it`, async () => {
    const plain = await socketServer((request, response) => {
      response.end(JSON.stringify({ authorization: request.headers.authorization ?? '' }))
    })
    assert.deepEqual(await call({ cluster: { server: plain.url } }), { authorization: '' })
    await plain.close()
  })
}

test('a token file is read again for each request', async () => {
  await writeFile(join(folder, 'token'), 'first\n')
  const path = join(folder, 'with-token-file')
  await writeFile(path, JSON.stringify(configOf({ user: { tokenFile: 'token' } })))
  const client = KubeClient.fromKubeconfig({ path })
  const seen = async () => (await client.request<Seen>('GET', '/')).authorization
  assert.equal(await seen(), 'Bearer first')
  await writeFile(join(folder, 'token'), 'second\n')
  assert.equal(await seen(), 'Bearer second')
  await client.close()
  const yaml = forms.YAML(configOf({ user: { tokenFile: 'token' } }))
  assert.match((await failureOf(callWith({ text: yaml }))).message, /tokenFile/, 'never silently anonymous')
})

test('a user name with password and an impersonated user are passed on', async () => {
  const basic = await callWith({ text: JSON.stringify(configOf({ user: { username: 'u', password: 'p' } })) })
  assert.equal(basic.authorization, `Basic ${base64('u:p')}`)
  for (const write of Object.values(forms)) {
    const as = await callWith({ text: write(configOf({ user: { token: 't', as: 'somebody' } })) })
    assert.deepEqual([as.authorization, as.as], ['Bearer t', 'somebody'])
  }
  const client = KubeClient.fromKubeconfig({ text: JSON.stringify(configOf({ user: { token: 't', as: 'somebody' } })) })
  assert.equal((await client.as({ user: 'other' }).request<Seen>('GET', '/')).as, 'other')
  assert.equal((await client.as({ token: 'own' }).request<Seen>('GET', '/')).as, undefined)
  await client.close()
})

function plugin(script: string): object {
  return {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] },
  }
}

const credential = (status: object) =>
  `console.log(${JSON.stringify(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }))})`

test('an exec plug-in gives tokens and certificates', async () => {
  const token = { text: JSON.stringify(configOf({ user: plugin(credential({ token: 'from-plugin' })) })) }
  assert.equal((await callWith(token)).authorization, 'Bearer from-plugin')
  const pair = { clientCertificateData: otherCert, clientKeyData: otherKey }
  const certificate = { text: JSON.stringify(configOf({ user: plugin(credential(pair)) })) }
  assert.equal((await callWith(certificate)).certificate, 'other')
})

test('a plug-in whose token the server refuses is asked again', async () => {
  const counter = join(folder, 'asked')
  const [expired, fresh] = [credential({ token: 'expired' }), credential({ token: 'fresh' })]
  const script = `
    const fs = require('node:fs')
    const isFirst = !fs.existsSync(${JSON.stringify(counter)})
    fs.writeFileSync(${JSON.stringify(counter)}, '')
    if (isFirst) ${expired}; else ${fresh}
  `
  const text = JSON.stringify(configOf({ user: plugin(script) }))
  assert.equal((await callWith({ text })).authorization, 'Bearer fresh')
})

test('a plug-in that fails is an error without what it printed', async () => {
  const text = JSON.stringify(configOf({ user: plugin('console.error("s3cret"); process.exit(1)') }))
  const error = await failureOf(callWith({ text }))
  assert.match(error.message, /gave no credentials/)
  assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes('s3cret'))
})

test('a kubeconfig with a mistake is an error that names the line and not what stands there', async () => {
  const text = `apiVersion: v1\nusers:\n- name: u\n  user:\n    token: s3cret\n   broken: [s3cret\n`
  const error = await failureOf(callWith({ text }))
  assert.match(error.message, /not valid YAML: see line \d/)
  assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes('s3cret'))
  for (const text of ['', '[]', 'null', 'just words', '{}'])
    assert.equal((await failureOf(callWith({ text }))).status, 0)
})

test('a token of the caller goes over connections without our certificate, which would outrank it', async () => {
  const pair = { 'client-certificate-data': base64(clientCert), 'client-key-data': base64(clientKey) }
  const client = KubeClient.fromKubeconfig({ text: JSON.stringify(configOf({ user: pair })) })
  const seen = await client.as({ token: 'theirs' }).request<Seen>('GET', '/')
  assert.deepEqual([seen.authorization, seen.certificate], ['Bearer theirs', undefined])
  const user = await client.as({ user: 'dev' }).request<Seen>('GET', '/')
  assert.deepEqual([user.certificate, user.as], ['client', 'dev'])
  await client.close()
})

test('a kubeconfig that appears later is found by the next call', async () => {
  const path = join(folder, 'late')
  const client = KubeClient.fromKubeconfig({ path })
  const error = await failureOf(client.request('GET', '/'))
  assert.deepEqual([error.status, error.isOutcomeUnknown()], [0, false])
  assert.match(error.message, /ENOENT/)
  await writeFile(path, JSON.stringify(configOf({ user: { token: 't' } })))
  assert.equal((await client.request<Seen>('GET', '/')).authorization, 'Bearer t')
  await client.close()
})

test('closing a client that never called does nothing', async () => {
  await KubeClient.fromKubeconfig({ path: join(folder, 'absent') }).close()
})

test('the kubeconfig of our own server works, over TLS and without', async () => {
  for (const options of [{ tls: true, auth: {} }, { tls: false }]) {
    const kube = await KubeServer.start(options)
    const client = KubeClient.fromKubeconfig({ text: kube.kubeconfig() })
    type Review = { readonly status: { readonly userInfo: { readonly username: string } } }
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const { status } = await client.post<object, Review>(path, review)
    assert.match(status.userInfo.username, /admin$/)
    await client.close()
    await kube.stop()
  }
})
