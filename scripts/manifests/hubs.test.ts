import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { agentPreflight, controllerPreflight } from '@godwit/hubs'
import { KubeClient, type KubeObject, resources } from '@godwit/kube'
import { KubeServer } from '@godwit/kube-server'
import { systemClock } from '@godwit/ports'
import { parseAllDocuments } from 'yaml'
import { hubsManifests } from './hubs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest extends KubeObject {
  readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } } }
}
interface Container {
  readonly args?: readonly string[]
  readonly livenessProbe?: { readonly httpGet?: { readonly path?: string } }
  readonly readinessProbe?: { readonly httpGet?: { readonly path?: string } }
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly readOnlyRootFilesystem?: boolean }
  readonly resources?: { readonly limits?: { readonly memory?: string } }
}

const documentsOf = (folder: string): Manifest[] =>
  globSync(`deploy/hubs/${folder}/*.yaml`, { cwd: root })
    .sort()
    .filter(path => !path.endsWith('kustomization.yaml'))
    .flatMap(path => parseAllDocuments(readFileSync(`${root}${path}`, 'utf8')).map(document => document.toJS()))

test('what lies in deploy/hubs is what the source says, and nothing else lies there', () => {
  const made = hubsManifests()
  assert.deepEqual(globSync('deploy/hubs/**/*.yaml', { cwd: root }).sort(), Object.keys(made).sort())
  for (const [path, text] of Object.entries(made))
    assert.equal(readFileSync(`${root}${path}`, 'utf8'), text, `${path} is stale: run node scripts/manifests.ts`)
})

test('every folder is whole: its kustomization names each of its files', () => {
  for (const folder of ['crds', 'controller', 'hub-access', 'agent']) {
    const text = readFileSync(`${root}deploy/hubs/${folder}/kustomization.yaml`, 'utf8')
    const files = globSync(`deploy/hubs/${folder}/*.yaml`, { cwd: root }).map(path => path.split('/').at(-1) ?? '')
    const [kustomization] = parseAllDocuments(text).map(document => document.toJS())
    assert.deepEqual([...kustomization.resources].sort(), files.filter(name => name !== 'kustomization.yaml').sort())
  }
})

describe('an API server', () => {
  let server: KubeServer
  let admin: KubeClient

  before(async () => {
    server = await KubeServer.start({ listen: false, auth: {} })
    admin = new KubeClient({ transport: server.transport() })
    await admin.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hub1' } })
    const folders = ['crds', 'controller', 'hub-access', 'agent']
    const all = folders.flatMap(documentsOf)
    // As kubectl does: what others live in comes first.
    const isFirst = ({ kind }: Manifest) => ['Namespace', 'CustomResourceDefinition'].includes(kind)
    for (const object of [...all.filter(isFirst), ...all.filter(each => !isFirst(each))]) {
      const resource = Object.values(resources).find(({ kind }) => kind === object.kind)
      assert.ok(resource, `no resource for ${object.kind}`)
      for (let time = 0; time < 2; time++) await admin.apply(resource, object, { fieldManager: 'test', force: true })
    }
  })
  after(async () => server.stop())

  test('takes every document, also twice, and gives the ServiceAccounts exactly what the processes ask for', async () => {
    const as = (namespace: string, name: string) => admin.as({ user: `system:serviceaccount:${namespace}:${name}` })
    const controller = as('multicluster-global-hub', 'godwit-hubs-controller')
    assert.equal(await controllerPreflight(controller, systemClock)(), undefined)
    const hub = as('multicluster-global-hub-agent', 'godwit-hubs-agent')
    const globalHub = as('hub1', 'godwit-hubs-agent')
    assert.equal(await agentPreflight({ hubName: 'hub1', hub, globalHub, clock: systemClock })(), undefined)
    const other = await agentPreflight({ hubName: 'hub2', hub, globalHub, clock: systemClock })()
    assert.match(other ?? '', /may not get migrationtasks.godwit.dev in namespace hub2/)
  })

  test('keeps Deployments with probes, limits and without privileges', () => {
    const deployments = ['controller', 'agent'].flatMap(documentsOf).filter(({ kind }) => kind === 'Deployment')
    assert.equal(deployments.length, 2)
    for (const { spec } of deployments) {
      const [container] = spec?.template?.spec?.containers ?? []
      assert.deepEqual(container?.args?.slice(-2), ['--probe-port', '8080'])
      assert.equal(container?.livenessProbe?.httpGet?.path, '/healthz')
      assert.equal(container?.readinessProbe?.httpGet?.path, '/readyz')
      assert.deepEqual(
        [container?.securityContext?.runAsNonRoot, container?.securityContext?.readOnlyRootFilesystem],
        [true, true],
      )
      assert.ok(container?.resources?.limits?.memory)
    }
  })
})
