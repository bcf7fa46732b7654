/** Keys and tokens of one server: made once, kept as long as its storage. */
import { randomBytes } from 'node:crypto'
import { type KeyStore, readOrCreate } from '../auth/index.ts'
import { type Authority, createAuthority, loadAuthority } from '../pki/index.ts'

const authorityName = 'authority.json'
const adminTokenName = 'admin.token'

export async function openAuthority(keys: KeyStore, now: number): Promise<Authority> {
  const text = await readOrCreate(keys, authorityName, async () => {
    const { certPem, keyPem } = await createAuthority({ commonName: 'kubernetes', now })
    return JSON.stringify({ certPem, keyPem })
  })
  return loadAuthority(JSON.parse(text))
}

/** A secret must not come from a seeded source, so this one is always the machine's. */
export function openAdminToken(keys: KeyStore): Promise<string> {
  return readOrCreate(keys, adminTokenName, () => randomBytes(32).toString('base64url'))
}
