import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/godwit.mjs', import.meta.url))
/** Generous: a start takes half a second. */
const patienceMs = 60_000

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [bin, 'kube', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Collects output until it holds `text`. */
async function printed(child: ChildProcess, text: string): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`wanted ${text}, got: ${output}`))
    const timer = setTimeout(fail, patienceMs)
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', chunk => {
        output += chunk
        if (!output.includes(text)) return
        clearTimeout(timer)
        resolve(output)
      })
    child.once('exit', fail)
  })
}

async function ended(child: ChildProcess): Promise<number | null> {
  return child.exitCode ?? ((await once(child, 'exit'))[0] as number | null)
}

test('a server starts, writes kubeconfigs for its owner alone, keeps its data and stops cleanly', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-kube-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const users = join(folder, 'users.yaml')
  writeFileSync(users, '- {name: dev, token: 0123456789abcdef}\n')
  const data = join(folder, 'data')
  const args = ['--dir', data, '--port', '0', '--users', users]

  const first = start(...args)
  t.after(() => first.kill('SIGKILL'))
  assert.match(await printed(first, 'Ctrl-C'), /https:\/\/127\.0\.0\.1:\d+/)
  const config = readFileSync(join(data, 'admin.kubeconfig'), 'utf8')
  for (const name of ['admin', 'dev']) assert.equal(statSync(join(data, `${name}.kubeconfig`)).mode & 0o777, 0o600)
  assert.match(readFileSync(join(data, 'dev.kubeconfig'), 'utf8'), /token: "0123456789abcdef"/)

  const rival = start(...args)
  assert.notEqual(await ended(rival), 0)

  first.kill('SIGTERM')
  assert.equal(await ended(first), 0)
  const second = start(...args)
  t.after(() => second.kill('SIGKILL'))
  await printed(second, 'Ctrl-C')
  const withoutPort = (text: string) => text.replace(/127\.0\.0\.1:\d+/, '')
  assert.equal(withoutPort(readFileSync(join(data, 'admin.kubeconfig'), 'utf8')), withoutPort(config))
  second.kill('SIGINT')
  assert.equal(await ended(second), 0)
})

test('an open server needs no credentials, and wrong options are explained without a stack', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-kube-open-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const server = start('--dir', folder, '--port', '0', '--open')
  t.after(() => server.kill('SIGKILL'))
  const url = (await printed(server, 'Ctrl-C')).match(/http:\/\/\S+:\d+/)?.[0]
  const response = await fetch(`${url}/api/v1/namespaces/default`)
  assert.equal(response.status, 200)
  server.kill('SIGTERM')
  assert.equal(await ended(server), 0)

  const missing = start('--dir', folder, '--users', join(folder, 'none.yaml'))
  const output = await printed(missing, 'ENOENT')
  assert.doesNotMatch(output, /\n\s+at /)
  assert.equal(await ended(missing), 1)
})
