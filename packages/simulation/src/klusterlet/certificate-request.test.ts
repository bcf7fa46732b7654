import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { certificateRequest, readCertificate } from './certificate-request.ts'

const subject = {
  user: 'system:open-cluster-management:c1:agent-1',
  groups: ['system:open-cluster-management:c1', 'system:open-cluster-management:managed-clusters'],
}

/** Made once with openssl for this subject. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIICjTCCAjOgAwIBAgIUUasTKi+zFV2yVQHqb3ICqzjVgeQwCgYIKoZIzj0EAwIw
gZoxKjAoBgNVBAoMIXN5c3RlbTpvcGVuLWNsdXN0ZXItbWFuYWdlbWVudDpjMTE4
MDYGA1UECgwvc3lzdGVtOm9wZW4tY2x1c3Rlci1tYW5hZ2VtZW50Om1hbmFnZWQt
Y2x1c3RlcnMxMjAwBgNVBAMMKXN5c3RlbTpvcGVuLWNsdXN0ZXItbWFuYWdlbWVu
dDpjMTphZ2VudC0xMCAXDTI2MTEyMTA0NDI0N1oYDzIxMjYxMDI4MDQ0MjQ3WjCB
mjEqMCgGA1UECgwhc3lzdGVtOm9wZW4tY2x1c3Rlci1tYW5hZ2VtZW50OmMxMTgw
NgYDVQQKDC9zeXN0ZW06b3Blbi1jbHVzdGVyLW1hbmFnZW1lbnQ6bWFuYWdlZC1j
bHVzdGVyczEyMDAGA1UEAwwpc3lzdGVtOm9wZW4tY2x1c3Rlci1tYW5hZ2VtZW50
OmMxOmFnZW50LTEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAStHEuXdZZ4Jl+y
vuimLa/aOqnHU8On3xIZl5eyuK8y7aSb5lFKwnQSsFBsmppu6MBz/LrZoD2vgY2+
R5RxakEEo1MwUTAdBgNVHQ4EFgQUaG1BiOeKWqV1ciBXG76FnuvEzsAwHwYDVR0j
BBgwFoAUaG1BiOeKWqV1ciBXG76FnuvEzsAwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiA2wae27el6+JlSM7C1cUn7RsuOimZgt6X97OlbCQV8XgIh
APQXJxu3i0gQuYEb27RaEx5xi2l+ppjpcZ3ZhkTNCq/W
-----END CERTIFICATE-----
`

/** Length of the DER value at `at`, with its header. */
function sizeAt(der: Buffer, at: number): { header: number; total: number } {
  const first = der[at + 1] ?? 0
  const header = first < 0x80 ? 2 : 2 + (first & 0x7f)
  const content = first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f)
  return { header, total: header + content }
}

test('a request is signed with its own key over its own body', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = certificateRequest(subject, privateKey)
  const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64')
  const outer = sizeAt(der, 0)
  assert.equal(outer.total, der.length)
  const bodyAt = outer.header
  const algorithmAt = bodyAt + sizeAt(der, bodyAt).total
  const signatureAt = algorithmAt + sizeAt(der, algorithmAt).total
  const body = der.subarray(bodyAt, algorithmAt)
  // One byte of a BIT STRING counts its unused bits.
  const signature = der.subarray(signatureAt + sizeAt(der, signatureAt).header + 1)
  assert.equal(verify('sha256', body, createPublicKey(privateKey), signature), true)
  for (const text of [subject.user, ...subject.groups]) assert.ok(body.includes(text), text)
})

test('the identity in a certificate is read with its dates', () => {
  assert.deepEqual(readCertificate(CERTIFICATE), {
    ...subject,
    issuedAtMs: Date.parse('2026-11-21T04:42:47Z'),
    expiresAtMs: Date.parse('2126-10-28T04:42:47Z'),
  })
})
