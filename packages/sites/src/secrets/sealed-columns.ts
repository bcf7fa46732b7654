/** What of a site is sealed at rest, and the check that a site has the key of its database. */
import { Terminal } from '@godwit/core'
import { clearValue, type Database, insertRow, type Seal, sealedDatabase, selectRows } from '@godwit/store'

/** Passwords of other sites and of subclouds, and all values that may hold one. */
export const SEALED_COLUMNS: readonly string[] = [
  'manager_password',
  'sysadmin_password',
  'rehome_data',
  'data_install',
  'proof',
]
const PROOF = 'this key is the one'

/**
 * The first start with a database leaves a proof in it; every later one must be able to read it.
 * @throws Terminal `SecretsKey` before anything is read or written with the wrong key
 */
export async function sealedWith(inner: Database, seal: Seal): Promise<Database> {
  const database = sealedDatabase(inner, SEALED_COLUMNS, seal)
  await database.transaction(async sql => {
    const rows = await selectRows(sql, 'secrets_key')
    for (const row of rows)
      if (clearValue(row, 'proof') !== PROOF) throw new Terminal('SecretsKey', 'the proof of the key is another')
    if (rows.length === 0) await insertRow(sql, 'secrets_key', { proof: PROOF })
  })
  return database
}
