import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '@godwit/ports'
import { firstOf } from './credentials.ts'
import { type CredentialProgram, dockerConfig } from './docker-config.ts'

const encoded = (text: string) => Buffer.from(text).toString('base64')

describe('docker config', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'godwit-docker-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function find(content: unknown, host: string, run?: CredentialProgram) {
    const path = join(folder, 'config.json')
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return dockerConfig({ path, clock: systemClock, ...(run && { run }) }).find(host)
  }

  test('a password is found under the host, also when the key is a URL, and may hold colons', async () => {
    const auths = { 'https://r.example.com/v1/': { auth: encoded('me:p:w') }, 'other:5000': { auth: encoded('x:y') } }
    assert.deepEqual(await find({ auths }, 'r.example.com'), { kind: 'password', username: 'me', password: 'p:w' })
    assert.deepEqual(await find({ auths }, 'other:5000'), { kind: 'password', username: 'x', password: 'y' })
    assert.equal(await find({ auths }, 'example.com'), undefined)
    assert.equal(await find({ auths }, 'other'), undefined)
  })

  test('user name and password may stand by themselves, an identity token comes first', async () => {
    const pair = { username: 'me', password: 'pw' }
    assert.deepEqual(await find({ auths: { r: pair } }, 'r'), { kind: 'password', ...pair })
    const both = { ...pair, identitytoken: 'refresh' }
    assert.deepEqual(await find({ auths: { r: both } }, 'r'), { kind: 'refreshToken', token: 'refresh' })
    assert.equal(await find({ auths: { r: {} } }, 'r'), undefined)
  })

  test('Docker Hub is one registry under several names', async () => {
    const auths = { 'https://index.docker.io/v1/': { auth: encoded('me:pw') } }
    assert.equal((await find({ auths }, 'registry-1.docker.io'))?.kind, 'password')
  })

  test('the program of the host is asked before the store, and the file when the program knows nothing', async () => {
    const asked: string[] = []
    const run: CredentialProgram = async (program, host) => {
      asked.push(`${program} ${host}`)
      return host === 'a' ? JSON.stringify({ Username: '<token>', Secret: 's' }) : undefined
    }
    const content = { credsStore: 'store', credHelpers: { a: 'own' }, auths: { b: { auth: encoded('me:pw') } } }
    assert.deepEqual(await find(content, 'a', run), { kind: 'refreshToken', token: 's' })
    assert.equal((await find(content, 'b', run))?.kind, 'password')
    assert.deepEqual(asked, ['docker-credential-own a', 'docker-credential-store b'])
    await assert.rejects(find({ credsStore: '../../evil' }, 'a', run), /cannot name a program/)
  })

  test('a program is run with the host on its input', async () => {
    const program = join(folder, 'docker-credential-test')
    await writeFile(program, '#!/bin/sh\nread host\nprintf \'{"Username":"u","Secret":"for %s"}\' "$host"\n')
    await chmod(program, 0o755)
    const path = process.env['PATH']
    process.env['PATH'] = `${folder}:${path}`
    try {
      assert.deepEqual(await find({ credsStore: 'test' }, 'h'), { kind: 'password', username: 'u', password: 'for h' })
      await assert.rejects(find({ credsStore: 'absent' }, 'h'), /docker-credential-absent: /)
    } finally {
      process.env['PATH'] = path
    }
  })

  test('a missing file knows nobody; a damaged one is an error that quotes nothing', async () => {
    const missing = dockerConfig({ path: join(folder, 'none'), clock: systemClock })
    assert.equal(await missing.find('r'), undefined)
    await assert.rejects(find('{"auths": {"r": {"auth": "c2VjcmV0"', 'r'), (error: Error) => {
      assert.match(error.message, /not a docker config file/)
      assert.doesNotMatch(`${error.message} ${error.cause}`, /c2VjcmV0/)
      return true
    })
  })

  test('of several sources the first that knows the host answers', async () => {
    const knows = (host: string, username: string) => ({
      find: async (wanted: string) =>
        wanted === host ? ({ kind: 'password', username, password: '' } as const) : undefined,
    })
    const source = firstOf(knows('a', 'one'), knows('b', 'two'), knows('a', 'three'))
    assert.deepEqual(await source.find('a'), { kind: 'password', username: 'one', password: '' })
    assert.equal(await source.find('c'), undefined)
  })
})
