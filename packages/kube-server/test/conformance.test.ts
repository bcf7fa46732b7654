/**
 * The black-box checks that every Kubernetes-compatible server must pass, over real sockets, against each way the server
 * can be run.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { KubeServer, type KubeServerOptions } from '../src/index.ts'

const runner = fileURLToPath(new URL('kubeapi-checks.mjs', import.meta.url))
const adminToken = 'conformance-admin-token'
/** A whole run takes about five seconds on an idle machine. */
const patienceMs = 180_000

interface Result {
  readonly code: number | null
  readonly output: string
}

function runChecks(args: readonly string[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [runner, ...args], { timeout: patienceMs })
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    child.stderr.on('data', chunk => {
      output += chunk
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code, output }))
  })
}

async function conforms(options: KubeServerOptions, args: readonly string[]): Promise<void> {
  const server = await KubeServer.start(options)
  try {
    const { code, output } = await runChecks(['--server', server.url, ...args])
    assert.match(output, /^\d+ passed, 0 failed, \d+ skipped$/m, output)
    assert.equal(code, 0, output)
  } finally {
    await server.stop()
  }
}

const secured: KubeServerOptions = {
  tls: true,
  auth: { users: [{ name: 'root', token: adminToken, groups: ['system:masters'] }] },
}

describe('the server passes all checks', { concurrency: true, timeout: patienceMs }, () => {
  // An open server refuses nobody, so the checks that need refusals are left to the others.
  test('in memory, open, over plain http', () => conforms({}, ['--lacks', 'authz']))

  test('in memory, with TLS, tokens and RBAC', () => conforms(secured, ['--token', adminToken]))

  test('in a folder, with TLS, tokens and RBAC', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kube-server-conformance-'))
    try {
      await conforms({ ...secured, storage: { folder } }, ['--token', adminToken])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
