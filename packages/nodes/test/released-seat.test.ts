import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransportRequest, TransportResponse } from '@godwit/kube'
import { podAnnotations } from '@godwit/nodes'
import { inNodesWorld, type NodesTestbed } from './nodes-testbed.ts'

const KEEP = podAnnotations.keepSnapshotOnDelete
const isDeletion = ({ method, path }: TransportRequest) => method === 'DELETE' && path.includes('/pods/demo-0')
const isFlagging = ({ method, path, body }: TransportRequest) =>
  method === 'PATCH' && path.includes('/pods/demo-0') && String(body).includes(KEEP)

const forbidden: TransportResponse = {
  status: 403,
  headers: { 'content-type': 'application/json' },
  text: async () =>
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Forbidden', code: 403 }),
  async *lines() {},
}

async function released(world: NodesTestbed): Promise<void> {
  world.operator()
  await world.create({ hibernatePolicy: 'release' })
  await world.untilPhase('Running')
  await world.patch({ suspend: true })
  await world.until('the seat to be given back', async () => (await world.pod()) === undefined)
  await world.untilPhase('Suspended')
  assert.ok(await world.tag())
}

test('SR06 at the moment a released pod is deleted, the API says that its snapshot is kept on its node', async () => {
  const flags: (string | undefined)[] = []
  const seen: { world?: NodesTestbed } = {}
  const onRequest = async (request: TransportRequest) => {
    if (isDeletion(request)) flags.push((await seen.world?.pod())?.metadata.annotations?.[KEEP])
    return undefined
  }
  await inNodesWorld({ onRequest }, async world => {
    seen.world = world
    await released(world)
  })
  assert.deepEqual(flags, ['true'])
})

test('SR06 a released pod is deleted all the same when the flag is refused', async () => {
  let refused = 0
  const onRequest = async (request: TransportRequest) => {
    if (!isFlagging(request)) return undefined
    refused++
    return forbidden
  }
  await inNodesWorld({ onRequest }, released)
  assert.ok(refused > 0)
})
