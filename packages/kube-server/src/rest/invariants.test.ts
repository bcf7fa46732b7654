/** Random operations by several writers, with watchers that come and go: what must hold whatever happens. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Answer, Api, type Body, eventually, type Watching } from '../../test/api.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'
import { KubeServer } from '../index.ts'

const names = ['a', 'b', 'c']
const finalizer = 'test.example.com/hold'

type Step =
  | { readonly do: 'create'; readonly name: string; readonly held: boolean }
  | { readonly do: 'spec'; readonly name: string; readonly size: number }
  | { readonly do: 'status'; readonly name: string; readonly phase: string }
  | { readonly do: 'label'; readonly name: string; readonly on: boolean }
  | { readonly do: 'stale'; readonly name: string }
  | { readonly do: 'release'; readonly name: string }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'rewatch' }

const name = fc.constantFrom(...names)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('create' as const), name, held: fc.boolean() }),
  fc.record({ do: fc.constant('spec' as const), name, size: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('status' as const), name, phase: fc.constantFrom('Pending', 'Done') }),
  fc.record({ do: fc.constant('label' as const), name, on: fc.boolean() }),
  fc.record({ do: fc.constant('stale' as const), name }),
  fc.record({ do: fc.constant('release' as const), name }),
  fc.record({ do: fc.constant('delete' as const), name }),
  fc.record({ do: fc.constant('rewatch' as const) }),
)

function perform(api: Api, one: Exclude<Step, { do: 'rewatch' }>): Promise<Answer> {
  const path = `${widgetsPath}/${one.name}`
  switch (one.do) {
    case 'create':
      return api.send(
        'POST',
        widgetsPath,
        widget(one.name, { size: 1 }, { metadata: { finalizers: one.held ? [finalizer] : [] } }),
      )
    case 'spec':
      return api.merge(path, { spec: { size: one.size } })
    case 'status':
      return api.merge(`${path}/status`, { status: { phase: one.phase } })
    case 'label':
      return api.merge(path, { metadata: { labels: { on: one.on ? 'yes' : null } } })
    case 'stale':
      return api.merge(path, { metadata: { resourceVersion: '1' }, spec: { size: 2 } })
    case 'release':
      return api.merge(path, { metadata: { finalizers: null } })
    case 'delete':
      return api.delete(path)
  }
}

/** A client that replays a watch and reconnects from the last version it saw. */
class Replica {
  readonly objects = new Map<string, Body>()
  readonly #api: Api
  readonly #selector: string
  #watch: Watching | undefined
  #read = 0
  #version: string

  constructor(api: Api, selector: string, start: string) {
    this.#api = api
    this.#selector = selector
    this.#version = start
  }

  async connect(): Promise<void> {
    this.catchUp()
    this.#watch?.stop()
    this.#read = 0
    this.#watch = await this.#api.watch(widgetsPath, { resourceVersion: this.#version, labelSelector: this.#selector })
  }

  /** Takes over the events that have arrived, in order. */
  catchUp(): void {
    for (const { type, object } of this.#watch?.seen.slice(this.#read) ?? []) {
      this.#read++
      const { resourceVersion } = object.metadata
      assert.ok(Number(resourceVersion) > Number(this.#version), 'versions of one watch grow')
      this.#version = resourceVersion
      const known = this.objects.has(object.metadata.name)
      assert.equal(known, type !== 'ADDED', `${type} of ${object.metadata.name}`)
      if (type === 'DELETED') this.objects.delete(object.metadata.name)
      else this.objects.set(object.metadata.name, object)
    }
  }

  stop(): void {
    this.#watch?.stop()
  }
}

/** One write against what was stored before it. */
function checkWrite(one: Step, before: Body | undefined, answer: Answer, after: Body | undefined): void {
  if (one.do === 'rewatch') return
  const version = (body: Body | undefined) => Number(body?.metadata.resourceVersion ?? 0)
  if (answer.status >= 400) {
    assert.deepEqual(after, before, 'a refused write changes nothing')
    return
  }
  if (before && after) {
    const hasChanged = JSON.stringify(before) !== JSON.stringify(after)
    assert.equal(version(after) > version(before), hasChanged, 'the version moves exactly when something changed')
    const specChanged = JSON.stringify(before.spec) !== JSON.stringify(after.spec)
    const deletionBegan = !before.metadata['deletionTimestamp'] && after.metadata['deletionTimestamp'] !== undefined
    const grown = (after.metadata.generation ?? 0) - (before.metadata.generation ?? 0)
    assert.equal(
      grown,
      Number(specChanged || deletionBegan),
      'generation counts changes of spec and the start of deletion',
    )
  }
  if (before && !after) {
    const free = !before.metadata.finalizers?.length
    assert.ok(free || one.do === 'release', 'nothing goes while a finalizer holds it')
  }
  if (one.do === 'stale') assert.equal(answer.status, 409)
}

async function run(steps: readonly Step[]): Promise<void> {
  const server = await KubeServer.start({ listen: false })
  try {
    const api = new Api(server.transport())
    await serve(api)
    const start = (await api.get(widgetsPath)).body.metadata.resourceVersion
    const replicas = [
      new Replica(api, '', start),
      new Replica(api, 'on=yes', start),
      new Replica(api, 'on!=yes', start),
    ]
    for (const replica of replicas) await replica.connect()
    const read = async (one: string) => {
      const { status, body } = await api.get(`${widgetsPath}/${one}`)
      return status === 200 ? body : undefined
    }
    for (const one of steps) {
      if (one.do === 'rewatch') {
        for (const replica of replicas) await replica.connect()
        continue
      }
      const before = await read(one.name)
      const answer = await perform(api, one)
      checkWrite(one, before, answer, await read(one.name))
    }
    for (const [i, labelSelector] of ['', 'on=yes', 'on!=yes'].entries()) {
      const listed = (await api.get(widgetsPath, { labelSelector })).body.items
      const replica = replicas[i]
      await eventually(
        async () => {
          replica?.catchUp()
          return (
            JSON.stringify(listed) ===
              JSON.stringify(
                [...(replica?.objects.values() ?? [])].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
              ) || undefined
          )
        },
        () => `the replica of ${labelSelector || 'all'} does not equal the list`,
      )
      replica?.stop()
    }
  } finally {
    await server.stop()
  }
}

test('versions, generations and finalizers keep their rules, and every watcher ends with what a list shows', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), run), { numRuns: 60 })
})
