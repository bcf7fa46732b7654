import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { findKubectls, oldestAndNewest } from '../../scripts/kubectl.ts'
import { PARTIES, Parties } from './processes.ts'
import { startWorld, type World } from './world.ts'

const run = promisify(execFile)
const NAMESPACE = 'multicluster-global-hub'

const kubectls = oldestAndNewest(findKubectls())
if (kubectls.length === 0 && process.env['CI']) throw new Error('no kubectl: run node scripts/kubectl.ts first')
if (kubectls.length === 0)
  console.log('left out: kubectl against a migration; make one available with node scripts/kubectl.ts')

/** Each version moves the clusters once: the first from hub1 to hub2, the next back again. */
const journeys = kubectls.map((kubectl, index) => ({
  kubectl,
  name: `by-kubectl-${kubectl.version.replace('.', '-')}`,
  from: index % 2 === 0 ? 'hub1' : 'hub2',
  to: index % 2 === 0 ? 'hub2' : 'hub1',
}))

const manifestOf = ({ name, from, to }: (typeof journeys)[number], clusters: readonly string[]) => `
apiVersion: global-hub.open-cluster-management.io/v1alpha1
kind: ManagedClusterMigration
metadata:
  name: ${name}
  namespace: ${NAMESPACE}
spec:
  from: ${from}
  to: ${to}
  includedManagedClusters: [${clusters.join(', ')}]
`

describe('kubectl against the global hub of the demo', { concurrency: 1 }, () => {
  let world: World
  let parties: Parties
  before(async () => {
    if (kubectls.length === 0) return
    world = await startWorld(6)
    parties = new Parties(world, { onRecovered: () => undefined, onProblem: (party, text) => console.log(party, text) })
    for (const party of PARTIES) parties.start(party)
  })
  after(async () => {
    await parties?.stop()
    await world?.stop()
  })

  for (const journey of journeys) {
    const { kubectl, name } = journey
    test(`${kubectl.path} applies, watches, waits for, describes and gets a migration from ${journey.from} to ${journey.to}`, async () => {
      const common = ['--kubeconfig', world.kubeconfig('global', 'admin'), '-n', NAMESPACE]
      const call = async (...args: string[]) =>
        (await run(kubectl.path, [...common, ...args], { timeout: 120_000 })).stdout
      const file = join(tmpdir(), `godwit-${process.pid}-${name}.yaml`)
      await writeFile(file, manifestOf(journey, world.names))
      // Old versions check against OpenAPI v2, which no server need serve in JSON.
      assert.match(await call('apply', '--validate=false', '-f', file), /created/)
      const watch = spawn(kubectl.path, [...common, 'get', 'mcm', '-w'])
      let watched = ''
      watch.stdout.on('data', chunk => (watched += chunk))
      await call('wait', '--for=condition=ClusterRegistered', `mcm/${name}`, '--timeout=90s')
      await call('wait', '--for=condition=ResourceCleaned', `mcm/${name}`, '--timeout=90s')
      watch.kill()
      assert.match(watched, /NAME +STATUS +AGE/)
      assert.match(watched, new RegExp(`${name} +(Initializing|Deploying|Registering|Cleaning)`))
      assert.match(
        await call('get', 'mcm', name, '-o', 'wide'),
        new RegExp(`${name} +Completed +${journey.from} +${journey.to} +6 +6 +0`),
      )
      const described = await call('describe', 'mcm', name)
      for (const text of [/Phase: +Completed/, /Type: +ClusterRegistered/, /Completed: +6/])
        assert.match(described, text)
      const result = JSON.parse(await call('get', 'configmap', name, '-o', 'json'))
      assert.deepEqual(JSON.parse(result.data.success), [...world.names])
    })

    test(`${kubectl.path} is told why a migration is refused`, async () => {
      const common = ['--kubeconfig', world.kubeconfig('global', 'admin'), '-n', NAMESPACE]
      const file = join(tmpdir(), `godwit-${process.pid}-bad.yaml`)
      await writeFile(file, manifestOf({ ...journey, name: 'bad', to: journey.from }, ['c1', 'c1']))
      const refused = run(kubectl.path, [...common, 'apply', '--validate=false', '-f', file])
      await assert.rejects(
        refused,
        ({ stderr }: { stderr: string }) =>
          /same hub/.test(stderr) && /includedManagedClusters\[1\]: Duplicate value/.test(stderr),
      )
    })
  }
})
