import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { parseAllDocuments } from 'yaml'
import { nodesManifests } from './nodes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('what lies in deploy/nodes is what the source says, and nothing else lies there', () => {
  const made = nodesManifests()
  assert.deepEqual(globSync('deploy/nodes/**/*.yaml', { cwd: root }).sort(), Object.keys(made).sort())
  for (const [path, text] of Object.entries(made))
    assert.equal(readFileSync(`${root}${path}`, 'utf8'), text, `${path} is stale: run node scripts/manifests.ts`)
})

test('an API server takes all of deploy/nodes', async () => {
  const server = await KubeServer.start({ listen: false })
  const client = new KubeClient({ transport: server.transport() })
  const paths = Object.keys(nodesManifests()).filter(path => !path.endsWith('kustomization.yaml'))
  const objects = paths.flatMap(path =>
    parseAllDocuments(readFileSync(`${root}${path}`, 'utf8')).map(document => document.toJS() as KubeObject),
  )
  const isFirst = ({ kind }: KubeObject) => kind === 'Namespace'
  for (const object of [...objects.filter(isFirst), ...objects.filter(each => !isFirst(each))]) {
    const resource = Object.values(resources).find(({ kind }) => kind === object.kind)
    assert.ok(resource, object.kind)
    await client.create(resource, object)
  }
  await server.stop()
})
