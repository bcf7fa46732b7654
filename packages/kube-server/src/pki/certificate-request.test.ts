import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  CertificateRequestError,
  createAuthority,
  createCertificateRequest,
  isTrustedClient,
  parseCertificateRequest,
  readClientCertificate,
  signCertificateRequest,
} from './index.ts'
import { fromPem, toPem } from './pem.ts'

const now = Date.UTC(2026, 0, 2)
const pemBytes = (pem: string) => fromPem('CERTIFICATE REQUEST', pem)
const usages = ['digital signature', 'client auth']

/** Made by OpenSSL: RSA 2048, /O=open/O=more/CN=agent1. */
const rsaRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIICdDCCAVwCAQAwLzENMAsGA1UECgwEb3BlbjENMAsGA1UECgwEbW9yZTEPMA0G
A1UEAwwGYWdlbnQxMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp1Qg
/NXBjghn/1bDrY+WeoNcKF+yGt58/KLDxrRi5gUOs1m80hTIaim9XXlYY4iFHNj5
6IpwsTvU9IDbX2IiGi/S3r1H5NPH5fUYsClL5RdA3i2Y+pIvA4C7LvFZsxLZ5rhM
J+lZM0p+zGBCc2wNUYsCPTgsEvLkA0PP7RjCZnJCEORcQ57V8tJERFOixuK6LjwF
iIpV4bgOCUg0EhHC18trp3/sBowJ5WDrejX8KM2L1/WpWV+Sdq+ebVlSzLSCju/n
chzuxSAoxZbgNBdb7BAzFlNVN14NbBEnHyiPqgC2YAhdKJ3y6ab9GX15GbZLAPSR
09vQXeMen8oSmVMx6wIDAQABoAAwDQYJKoZIhvcNAQELBQADggEBAE2VhBJjevHb
1ND13h6pNkzY86cqGpeEaxtm+Rc7Jl7MAfwJUPW5OozzJGFISCqoUDwCOzf+RkIr
e/t/+R9MG90Yvk7kccdsPHpSB6jl2Lv0qPfo22LUf3q89Q6YyI018VmKknpvKm/M
VTUWIwbMAXRXVrMP9AJKvjbgopbW3JBgMV74QxywF8EI0/cUvQrKGBrhbrMIjn60
g8+qEIOzuWtu+bq13SYrPJSfzIZl8gaHJM7trvlVaPW6hBXukwcDzET6kEfSn7Sl
dKouHwQGBUVoEVadbsdI151Mt0FhA48JLG9rK5Ou6thcDQQjeyXfMaK81hcou8gm
G1P5DHkpIiw=
-----END CERTIFICATE REQUEST-----
`

/** Made by OpenSSL: EC P-384 with SHA-384, /C=DE/O=Grüße/CN=agent2. */
const ecRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIIBJjCBrwIBADAwMQswCQYDVQQGEwJERTEQMA4GA1UECgwHR3LDvMOfZTEPMA0G
A1UEAwwGYWdlbnQyMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEHbJlBC8NLi2y/SHf
8LeGOSSG2kTsNKUHoCG/iEPQBxOZ614joXLuH/ULHhnrGq4hxDBdDpQXOMaLlhvg
5mwc2lAFv/zOm2On/EFGQsK92zjOAqsijTpNVbWEUnrchc7zoAAwCgYIKoZIzj0E
AwMDZgAwYwIvd2pmQeGaUfF7fj4meigHYKi+DVsYa74ucwf51OP/gEe1PXTepoX3
39NZxjr74xMCMBkacRc1MlBU4HbhsChwgD22Fa7lbBOHyAbi8fcKOSJApLDAt9jt
sYzs0RBW1/nm9w==
-----END CERTIFICATE REQUEST-----
`

test('a request with an RSA key made by OpenSSL is read', () => {
  const request = parseCertificateRequest(rsaRequest)
  assert.deepEqual(request.subject, { commonName: 'agent1', organizations: ['open', 'more'] })
  assert.equal(request.keyType, 'rsa')
})

test('a request with an EC key, SHA-384 and other name attributes is read', () => {
  const request = parseCertificateRequest(ecRequest)
  assert.deepEqual(request.subject, { commonName: 'agent2', organizations: ['Grüße'] })
  assert.equal(request.keyType, 'ec')
})

test('a request comes back as it was made, for every kind of key', () => {
  const keys = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ]
  for (const key of keys) {
    const pem = createCertificateRequest({ user: 'system:open-cluster-management:c1:a', groups: ['g1', 'g2'], key })
    assert.deepEqual(parseCertificateRequest(pem).subject, {
      commonName: 'system:open-cluster-management:c1:a',
      organizations: ['g1', 'g2'],
    })
  }
})

test('a signed request gives a certificate for its subject and its key', async () => {
  const authority = await createAuthority({ commonName: 'ca', now })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const requestPem = createCertificateRequest({ user: 'agent', groups: ['g'], key: privateKey })
  const certPem = await signCertificateRequest(authority, { requestPem, usages, ttlSeconds: 600, now })
  assert.deepEqual(readClientCertificate(certPem), { user: 'agent', groups: ['g'], notAfterMs: now + 600_000 })
  assert.ok(
    new X509Certificate(certPem).checkPrivateKey(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))),
  )
  assert.ok(isTrustedClient(authority, certPem, now))
})

test('requests made by OpenSSL are signed with their subject unchanged', async () => {
  const authority = await createAuthority({ commonName: 'ca', now })
  for (const requestPem of [rsaRequest, ecRequest]) {
    const certPem = await signCertificateRequest(authority, { requestPem, usages, ttlSeconds: 600, now })
    const { subject } = parseCertificateRequest(requestPem)
    const { user, groups } = readClientCertificate(certPem)
    assert.deepEqual({ commonName: user, organizations: groups }, subject)
    assert.ok(isTrustedClient(authority, certPem, now))
  }
})

test('only client certificates are signed', async () => {
  const authority = await createAuthority({ commonName: 'ca', now })
  await assert.rejects(
    signCertificateRequest(authority, { requestPem: ecRequest, usages: ['server auth'], ttlSeconds: 600, now }),
    CertificateRequestError,
  )
})

const refused: readonly [string, string, RegExp][] = [
  ['an empty text', '', /no PEM block found/],
  ['a megabyte of blanks', `-----BEGIN CERTIFICATE REQUEST-----${' '.repeat(2 ** 20)}`, /no PEM block found/],
  [
    'another PEM block',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    /must be CERTIFICATE REQUEST/,
  ],
  [
    'a block that is no DER',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
    /trailing bytes/,
  ],
  [
    'a request of 100 kB',
    `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(140_000)}\n-----END CERTIFICATE REQUEST-----\n`,
    /too large/,
  ],
]

for (const [what, pem, why] of refused) {
  test(`${what} is refused with a clear error`, () => {
    assert.throws(
      () => parseCertificateRequest(pem),
      (error: unknown) => {
        assert.ok(error instanceof CertificateRequestError)
        assert.match(error.message, why)
        return true
      },
    )
  })
}

test('a request with any single bit changed is refused: it is not signed by its key any more', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const der = pemBytes(createCertificateRequest({ user: 'agent', groups: ['g'], key }))
  for (let bit = 0; bit < der.length * 8; bit++) {
    const bytes = Buffer.from(der)
    const at = bit >> 3
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at)
    assert.throws(
      () => parseCertificateRequest(toPem('CERTIFICATE REQUEST', bytes)),
      CertificateRequestError,
      `bit ${bit}`,
    )
  }
})

test('random bytes are refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), bytes => {
      const pem = toPem('CERTIFICATE REQUEST', Buffer.from(bytes))
      assert.throws(() => parseCertificateRequest(pem), CertificateRequestError)
    }),
    { numRuns: 1000 },
  )
})
