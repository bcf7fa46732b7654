/** Keys and tokens of one server: made once, kept as long as its storage. */
import { createHmac } from 'node:crypto'
import { type KeyStore, readOrCreate } from '../auth/index.ts'
import { type Authority, createAuthority, loadAuthority } from '../pki/index.ts'

const authorityName = 'authority.json'

export async function openAuthority(keys: KeyStore, now: number): Promise<Authority> {
  const text = await readOrCreate(keys, authorityName, async () => {
    const { certPem, keyPem } = await createAuthority({ commonName: 'kubernetes', now })
    return JSON.stringify({ certPem, keyPem })
  })
  return loadAuthority(JSON.parse(text))
}

/** As secret and as long-lived as the authority's key, from which it is derived. */
export function adminTokenOf(authority: Authority): string {
  return createHmac('sha256', authority.keyPem).update('token of the admin user').digest('base64url')
}
