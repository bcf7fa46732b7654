import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '@godwit/ports'
import { KubeServer, type Transport, type TransportResponse } from '../src/index.ts'
import { Api } from './api.ts'
import { ASYNCHRONOUS, differences } from './differences.ts'
import type { Playground } from './operations.ts'
import { serve } from './widgets.ts'

const playground: Playground = { group: 'test.example.com', namespaces: ['default'], names: 4, without: ASYNCHRONOUS }

/** What each answer becomes on its way. */
type Change = (text: string) => string

async function serverOf(t: TestContext, change: Change = text => text): Promise<Api> {
  const server = await KubeServer.start({ listen: false })
  t.after(() => server.stop())
  const inner = server.transport()
  const transport: Transport = {
    async request(request) {
      const response = await inner.request(request)
      const changed: TransportResponse = {
        status: response.status,
        headers: response.headers,
        text: async () => change(await response.text()),
        lines: () => response.lines(),
      }
      return changed
    },
    close: async () => undefined,
  }
  const api = new Api(transport)
  await serve(api)
  return api
}

const compare = (left: Api, right: Api) => differences({ left, right, playground, random: seededRandom(3), steps: 150 })

test('two servers of one kind do not differ', async t => {
  assert.deepEqual(await compare(await serverOf(t), await serverOf(t)), [])
})

const PLANTED: readonly (readonly [string, Change, RegExp])[] = [
  [
    'a default that is missing',
    text => text.replaceAll('"color":"Red"', '"color":"Blue"'),
    /^body\.(items\[\d\]\.)?spec\.color$/,
  ],
  ['a reason that is another', text => text.replaceAll('"reason":"Conflict"', '"reason":"Invalid"'), /^body\.reason$/],
  ['a member too many', text => text.replaceAll('"kind":"ConfigMap"', '"kind":"ConfigMap","extra":1'), /extra$/],
]
for (const [what, change, path] of PLANTED)
  test(`${what} is told with its place`, async t => {
    const found = await compare(await serverOf(t), await serverOf(t, change))
    assert.ok(found.length > 0)
    for (const difference of found) assert.match(difference.path, path)
  })

const program = fileURLToPath(new URL('./differential.ts', import.meta.url))

async function runAgainst(server: KubeServer, t: TestContext): Promise<{ code: number; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'differential-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, server.kubeconfig('admin'), { mode: 0o600 })
  const child = spawn(process.execPath, [program, '--steps', '60'], { env: { ...process.env, KUBECONFIG: file } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  const [code] = await once(child, 'close')
  return { code, output }
}

test('the program compares with the cluster of a kubeconfig, and leaves it as it was', async t => {
  const server = await KubeServer.start({ tls: true, auth: {} })
  t.after(() => server.stop())
  const { code, output } = await runAgainst(server, t)
  assert.equal(code, 0, output)
  assert.match(output, /^60 operations, 0 differences$/m)
  const api = new Api(server.transport('admin'))
  await api.until(
    '/api/v1/namespaces',
    ({ body }) => !body.items.some(({ metadata }) => /^(one|two)-/.test(metadata.name)),
  )
  const { body } = await api.get('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')
  assert.deepEqual(body.items, [])
})

test('the program tells a difference, and ends with status 1', async t => {
  const server = await KubeServer.start({ tls: true, auth: {} })
  t.after(() => server.stop())
  server.faults.add({ verbs: ['update'], resources: ['configmaps'], effect: { kind: 'status', code: 503 } })
  const { code, output } = await runAgainst(server, t)
  assert.equal(code, 1, output)
  assert.match(output, /replace\w* configmaps\/object-\d: status\n {2}ours {4}\d+\n {2}theirs {2}503/)
})
