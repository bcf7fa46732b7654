import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BoundedCache } from './bounded-cache.ts'
import { fileKeyStore, memoryKeyStore, readOrCreate } from './key-store.ts'

test('a key written to a file is read by the next run, and by the owner alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'))
  try {
    const keys = fileKeyStore(join(folder, 'deep', 'pki'))
    assert.equal(await keys.read('a.key'), undefined)
    await keys.write('a.key', 'one')
    await keys.write('a.key', 'two')
    assert.equal(await fileKeyStore(join(folder, 'deep', 'pki')).read('a.key'), 'two')
    assert.deepEqual(await readdir(join(folder, 'deep', 'pki')), ['a.key'])
    assert.equal((await stat(join(folder, 'deep', 'pki', 'a.key'))).mode & 0o777, 0o600)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a folder that cannot be read is an error, not an absent key', async () => {
  await assert.rejects(fileKeyStore('/dev/null').read('a.key'), { code: 'ENOTDIR' })
})

test('a key is made once and kept', async () => {
  const keys = memoryKeyStore()
  let made = 0
  const make = () => `key ${++made}`
  assert.equal(await readOrCreate(keys, 'k', make), 'key 1')
  assert.equal(await readOrCreate(keys, 'k', make), 'key 1')
})

test('a bounded cache forgets what was not asked for longest', () => {
  const cache = new BoundedCache<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.get('a')
  cache.set('c', 3)
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c'), cache.size], [1, undefined, 3, 2])
  cache.delete('a')
  assert.equal(cache.size, 1)
})
