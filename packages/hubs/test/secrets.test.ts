/** Canaries in every secret of a migration: none may show in anything that is not a secret, plain or in base64. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { godwit, labels, type ManagedClusterMigration, Metrics, readStatus, renderStatus } from '@godwit/hubs'
import { type KubeObject, resources } from '@godwit/kube'
import type { Logger } from '@godwit/ports'
import { over, withTestbed } from './judging.ts'
import { NAMESPACE, type Testbed } from './testbed.ts'

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> }

const BUNDLED = 'canary-in-a-bundle-7f3a'
/** Everybody may know these members. */
const PUBLIC: readonly string[] = ['ca.crt', 'publicKey', 'namespace', 'cluster-name', 'agent-name', 'crds.yaml']

class Canaries {
  readonly secrets = new Map<string, string>()
  readonly seen = new Set<string>()
  readonly shown: string[] = []

  /** Secrets come and go: looked at again and again. */
  async look(bed: Testbed): Promise<void> {
    for (const client of Object.values(bed.clients))
      for (const { metadata, data = {} } of (await client.list<Secret>(resources.secrets)).items)
        for (const [member, base64] of Object.entries(data))
          if (!PUBLIC.includes(member)) this.#learn(`${metadata.namespace}/${metadata.name}[${member}]`, base64)
    for (const resource of [godwit.migrations, godwit.tasks, resources.configMaps, resources.events])
      for (const object of (await bed.clients.globalHub.list(resource)).items) this.shown.push(JSON.stringify(object))
    for (const hub of ['hub1', 'hub2'] as const)
      for (const event of (await bed.clients[hub].list(resources.events)).items) this.shown.push(JSON.stringify(event))
  }

  /** Of a kubeconfig the token, of a PEM its first line, of anything else all of it. */
  #learn(where: string, base64: string): void {
    this.seen.add(where)
    const text = Buffer.from(base64, 'base64').toString('utf8')
    const token = /"?token"?:\s*"?([^"\s,}]+)/.exec(text)?.[1]
    const key = /PRIVATE KEY-----\n(\S+)/.exec(text)?.[1]
    for (const value of [base64, token, key, text.length < 4096 ? text : undefined])
      if (value !== undefined && value.length >= 12) this.secrets.set(value, where)
  }

  leaks(): string[] {
    const texts = this.shown.join('\n')
    return [...this.secrets].flatMap(([value, where]) => (isIn(texts, value) ? [where] : []))
  }
}

/** In base64 a text looks different by its place in what was encoded: all three are looked for. */
function isIn(texts: string, value: string): boolean {
  if (texts.includes(value)) return true
  return [0, 1, 2].some(shift => {
    const encoded = Buffer.from(' '.repeat(shift) + value).toString('base64')
    // What depends on the neighbours is left away.
    return texts.includes(encoded.slice(shift === 0 ? 0 : 4, -4))
  })
}

test('the search finds a secret as it is, in base64, and in base64 of something around it', () => {
  const around = Buffer.from(`x${BUNDLED}yz`).toString('base64')
  for (const text of [`a ${BUNDLED} b`, Buffer.from(BUNDLED).toString('base64'), around]) assert.ok(isIn(text, BUNDLED))
  assert.ok(!isIn('nothing of the kind', BUNDLED))
})

test('no secret shows in a log, status, task, event, metric, plan, report or runbook, forward, planned and stuck', async () => {
  const canaries = new Canaries()
  const log = (fields: object, message: string) => {
    canaries.shown.push(JSON.stringify([fields, message]))
  }
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const metrics = new Metrics()
  await withTestbed({ count: 3, logger, metrics, deadlines: { Rollbacking: 2_000 } }, async bed => {
    const [first = '', second = '', third = ''] = bed.names
    for (const namespace of bed.names)
      await bed.clients.hub1.create(resources.secrets, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'canary', namespace, labels: { [labels.siteconfigPreserve]: 'all' } },
        stringData: { password: BUNDLED },
      } as KubeObject)
    bed.fleet.adjust(second, { unreachableHubs: ['hub2'] })
    bed.all()
    await bed.migrate('planned', { includedManagedClusters: [third], dryRun: true })
    await until(bed, canaries, 'planned', ({ status }) => status?.plan !== undefined)
    await bed.migrate('moved', { includedManagedClusters: [first] })
    assert.equal((await until(bed, canaries, 'moved', over)).status?.phase, 'Completed')
    await bed.migrate('stuck', { includedManagedClusters: [second], supportedConfigs: { stageTimeout: '4s' } })
    await until(bed, canaries, 'stuck', ({ status }) => status?.phase === 'Registering')
    bed.fleet.adjust(second, { unreachableHubs: ['hub1', 'hub2'] })
    assert.equal((await until(bed, canaries, 'stuck', over)).status?.phase, 'Failed')
    for (const name of ['planned', 'moved', 'stuck']) {
      const view = await readStatus(bed.clients.globalHub, { name, namespace: NAMESPACE })
      canaries.shown.push(view ? renderStatus(view) : '', JSON.stringify(view))
    }
    canaries.shown.push(metrics.render())
    const moved = await bed.clients.hub2.get<Secret>(resources.secrets, { name: 'canary', namespace: first })
    assert.equal(Buffer.from(moved?.data?.['password'] ?? '', 'base64').toString(), BUNDLED)
  })
  const found = [...canaries.seen].join(' ')
  for (const kind of [
    'canary[password]',
    'bootstrap-hub2[kubeconfig]',
    'godwit-credential',
    'godwit-sealing',
    '[token]',
  ])
    assert.ok(found.includes(kind), `${kind} was never seen: the test looks at too little`)
  const all = canaries.shown.join('\n')
  for (const part of ['-plan-000', '-report-000', '-runbook-000', 'godwit_hubs_migrations', 'MigrationTask'])
    assert.ok(all.includes(part), `${part} was never seen: the test looks at too little`)
  assert.deepEqual(canaries.leaks(), [])
})

async function until(
  bed: Testbed,
  canaries: Canaries,
  name: string,
  holds: (migration: ManagedClusterMigration) => boolean,
): Promise<ManagedClusterMigration> {
  for (let look = 0; look < 1_000; look++) {
    await canaries.look(bed)
    const migration = await bed.read(name)
    if (migration && holds(migration)) return migration
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`${name} does not come so far: ${JSON.stringify((await bed.read(name))?.status)}`)
}
