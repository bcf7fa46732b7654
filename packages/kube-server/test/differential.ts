// KUBECONFIG=FILE node packages/kube-server/test/differential.ts: the same random operations on our server and on the
// cluster of the file, and where the answers differ. Works in two namespaces and one definition of its own, and takes
// them away again. Exit status 1 when there are differences.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { seededRandom } from '@godwit/ports'
import { KubeServer } from '../src/index.ts'
import { Api } from './api.ts'
import { ASYNCHRONOUS, type Difference, differences } from './differences.ts'
import { accessOf } from './kubeconfig-access.ts'
import type { Playground } from './operations.ts'
import { socketTransport } from './socket-transport.ts'
import { definition, serve } from './widgets.ts'

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
})
const MAX_SHOWN = 50
const path = process.env['KUBECONFIG']
if (!path) {
  console.error('differential: KUBECONFIG must name the kubeconfig of a cluster that may be played with')
  process.exit(2)
}
process.exitCode = await main(path)

async function main(kubeconfig: string): Promise<number> {
  const { server, credentials } = accessOf(kubeconfig)
  const ours = await KubeServer.start({ listen: false })
  const transport = socketTransport(server, credentials)
  const theirs = new Api(transport)
  const suffix = randomBytes(4).toString('hex')
  const playground: Playground = {
    group: `d${suffix}.example.com`,
    namespaces: [`one-${suffix}`, `two-${suffix}`],
    names: 6,
    without: ASYNCHRONOUS,
  }
  const both = [new Api(ours.transport()), theirs]
  try {
    await Promise.all(both.map(api => prepare(api, playground)))
    const [left = theirs, right = theirs] = both
    const options = { left, right, playground, random: seededRandom(Number(values.seed)), steps: Number(values.steps) }
    const found = await differences(options)
    report(found)
    return found.length === 0 ? 0 : 1
  } finally {
    await cleanUp(theirs, playground)
    await transport.close()
    await ours.stop()
  }
}

async function prepare(api: Api, { group, namespaces }: Playground): Promise<void> {
  for (const name of namespaces) await api.create('/api/v1/namespaces', { metadata: { name } })
  await serve(api, { group })
}

/** Finalizers first: nobody else would take them off. */
async function cleanUp(api: Api, { group, namespaces }: Playground): Promise<void> {
  for (const namespace of namespaces)
    for (const collection of [
      `/apis/${group}/v1/namespaces/${namespace}/widgets`,
      `/api/v1/namespaces/${namespace}/configmaps`,
    ]) {
      const { body } = await api.get(collection)
      for (const { metadata } of body.items ?? [])
        if (metadata.finalizers) await api.merge(`${collection}/${metadata.name}`, { metadata: { finalizers: null } })
    }
  const crd = definition({ group })['metadata'] as { name: string }
  await api.delete(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.name}`)
  for (const namespace of namespaces) await api.delete(`/api/v1/namespaces/${namespace}`)
}

function report(found: readonly Difference[]): void {
  for (const { step, operation, path: member, left, right } of found.slice(0, MAX_SHOWN)) {
    const what = operation === 'list' ? 'list' : `${operation.act} ${operation.kind}/${operation.name}`
    console.log(
      `step ${step}, ${what}: ${member}\n  ours    ${JSON.stringify(left)}\n  theirs  ${JSON.stringify(right)}`,
    )
  }
  if (found.length > MAX_SHOWN) console.log(`and ${found.length - MAX_SHOWN} more`)
  console.log(`${values.steps} operations, ${found.length} differences`)
}
