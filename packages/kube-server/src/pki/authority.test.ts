import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { buildCertificate } from './certificate.ts'
import { encodeName } from './distinguished-name.ts'
import {
  type Authority,
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
  isTrustedClient,
  loadAuthority,
  readClientCertificate,
} from './index.ts'
import { toPem } from './pem.ts'

// TLS knows only the machine's clock, so these certificates begin at a moment that the machine believes in.
const now = Math.floor(performance.timeOrigin)
const HOUR_MS = 3_600_000
const authority = await createAuthority({ commonName: 'test-ca', now })

function rsaAuthority(): Authority {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const subject = encodeName({ commonName: 'rsa-ca', organizations: [] })
  const der = buildCertificate({
    purpose: 'authority',
    subject,
    issuer: subject,
    publicKey,
    notBeforeMs: now,
    notAfterMs: now + HOUR_MS,
    issuerPublicKey: publicKey,
    issuerKey: privateKey,
  })
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return loadAuthority({ certPem: toPem('CERTIFICATE', der), keyPem })
}

test('an authority loaded from its PEM signs for those who trust the first one', async () => {
  const again = loadAuthority({ certPem: authority.certPem, keyPem: authority.keyPem })
  const { certPem } = await issueClientCertificate(again, { user: 'bob', groups: [], ttlSeconds: 60, now })
  assert.ok(isTrustedClient(authority, certPem, now))
})

test('an authority is not loaded with the key of another one', async () => {
  const other = await createAuthority({ commonName: 'test-ca', now })
  assert.throws(() => loadAuthority({ certPem: authority.certPem, keyPem: other.keyPem }), /does not belong/)
})

test('a certificate that may not sign is no authority', async () => {
  const client = await issueClientCertificate(authority, { user: 'bob', groups: [], ttlSeconds: 60, now })
  assert.throws(() => loadAuthority(client), /not a certificate authority/)
})

test('an authority with an RSA key signs client certificates', async () => {
  const rsa = rsaAuthority()
  const { certPem } = await issueClientCertificate(rsa, { user: 'bob', groups: ['g'], ttlSeconds: 60, now })
  assert.ok(isTrustedClient(rsa, certPem, now))
  assert.ok(!isTrustedClient(authority, certPem, now))
})

test('user and groups come back from a client certificate, DER or PEM, in order and in any script', async () => {
  const groups = ['system:masters', 'größe', 'a,b=c+d']
  const { certPem } = await issueClientCertificate(authority, { user: 'café 猫', groups, ttlSeconds: 60, now })
  const expected = { user: 'café 猫', groups, notAfterMs: Math.floor((now + 60_000) / 1000) * 1000 }
  assert.deepEqual(readClientCertificate(certPem), expected)
  assert.deepEqual(readClientCertificate(new X509Certificate(certPem).raw), expected)
})

test('a client certificate is trusted from five minutes before its issue until it expires', async () => {
  const { certPem } = await issueClientCertificate(authority, { user: 'bob', groups: [], ttlSeconds: 600, now })
  const trusted = [-301_000, -299_000, 0, 599_000, 601_000].map(offset =>
    isTrustedClient(authority, certPem, now + offset),
  )
  assert.deepEqual(trusted, [false, true, true, true, false])
})

test('a server certificate is not trusted as a client', async () => {
  const server = await issueServerCertificate(authority, { hosts: ['localhost'], now })
  assert.ok(!isTrustedClient(authority, server.certPem, now))
})

test('an authority of the same name with another key is not trusted', async () => {
  const impostor = await createAuthority({ commonName: 'test-ca', now })
  const { certPem } = await issueClientCertificate(impostor, {
    user: 'bob',
    groups: ['system:masters'],
    ttlSeconds: 60,
    now,
  })
  assert.ok(!isTrustedClient(authority, certPem, now))
})

test('no certificate outlives its authority', async () => {
  const later = now + 9.5 * 365 * 24 * HOUR_MS
  const server = await issueServerCertificate(authority, { hosts: ['localhost'], now: later })
  const end = authority.certificate.validToDate.getTime()
  assert.equal(new X509Certificate(server.certPem).validToDate.getTime(), end)
})

test('certificates after 2049 carry the long form of time', async () => {
  const future = Date.UTC(2060, 0, 2, 3, 4, 5)
  const late = await createAuthority({ commonName: 'late', now: future })
  assert.equal(late.certificate.validFromDate.getTime(), future - 300_000)
})

test('serial numbers are positive, 16 bytes long, and different', async () => {
  const issued = await Promise.all(
    Array.from({ length: 20 }, () => issueServerCertificate(authority, { hosts: ['a'], now })),
  )
  const serials = issued.map(({ certPem }) => new X509Certificate(certPem).serialNumber)
  assert.equal(new Set(serials).size, 20)
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/)
})

test('a server certificate names its hosts: names, IPv4 and every spelling of IPv6', async () => {
  const hosts = [
    'localhost',
    'a.b.svc',
    '127.0.0.1',
    '::1',
    '::ffff:10.0.0.1',
    '2001:DB8::a:0:0:1',
    'fe80:0:0:0:0:0:0:1',
  ]
  const { certPem } = await issueServerCertificate(authority, { hosts, now })
  const certificate = new X509Certificate(certPem)
  for (const host of ['localhost', 'a.b.svc']) assert.equal(certificate.checkHost(host), host)
  for (const address of hosts.slice(2)) assert.ok(certificate.checkIP(address), address)
  assert.equal(certificate.checkIP('10.0.0.1'), undefined)
})

test('a TLS client that trusts the authority reaches the server and is known to it', async () => {
  const server = await issueServerCertificate(authority, { hosts: ['localhost', '127.0.0.1'], now })
  const client = await issueClientCertificate(authority, { user: 'bob', groups: ['g1', 'g2'], ttlSeconds: 3600, now })
  const listener = createServer({
    cert: server.certPem,
    key: server.keyPem,
    ca: authority.certPem,
    requestCert: true,
    rejectUnauthorized: false,
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  assert.ok(address !== null && typeof address === 'object')
  const accepted = once(listener, 'secureConnection')
  const socket = connect({
    port: address.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.certPem,
    cert: client.certPem,
    key: client.keyPem,
  })
  try {
    await once(socket, 'secureConnect')
    assert.ok(socket.authorized)
    const [peer]: TLSSocket[] = await accepted
    assert.ok(peer?.authorized)
    const { user, groups } = readClientCertificate(peer.getPeerX509Certificate()?.raw ?? '')
    assert.deepEqual({ user, groups }, { user: 'bob', groups: ['g1', 'g2'] })
    peer.destroy()
  } finally {
    socket.destroy()
    listener.close()
  }
})
