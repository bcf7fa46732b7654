/** A server with something to lose, and the questions that tell whether it lost it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fields, Logger } from '@godwit/ports'
import { KubeServer } from '../src/index.ts'
import { Api, type Body } from './api.ts'
import { currentVersion, type Target, targets } from './hostile-targets.ts'
import { serve, widget, widgetsPath } from './widgets.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const scalePaths = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }

/** What stands there for PUT, PATCH and DELETE, by collection. */
const standing: ReadonlyMap<string, unknown> = new Map([
  [configMaps, { metadata: { name: 'standing' }, data: { a: 'b' } }],
  [widgetsPath, widget('standing', { size: 1, tags: ['a', 'b'], parts: [{ name: 'p' }] })],
  [
    deployments,
    { ...(targets.find(({ path }) => path === deployments)?.body as object), metadata: { name: 'standing' } },
  ],
])

export class HostileServer {
  readonly api: Api
  readonly port: number
  /** What the server found worth an error line: nothing a client sends is. */
  readonly #errors: string[] = []
  readonly #versions = new Map<string, string>()
  #server: KubeServer
  readonly #folder: string

  private constructor(server: KubeServer, folder: string, errors: string[]) {
    this.#server = server
    this.#folder = folder
    this.#errors = errors
    this.api = new Api(server.transport())
    this.port = Number(new URL(server.url).port)
  }

  /** Durable, so that what cannot be written to a disk is found too. */
  static async start(): Promise<HostileServer> {
    const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
    const errors: string[] = []
    const server = await KubeServer.start({ storage: { folder }, logger: errorLines(errors) })
    const hostile = new HostileServer(server, folder, errors)
    await serve(hostile.api, { subresources: { status: {}, scale: scalePaths } })
    await hostile.standUp()
    return hostile
  }

  /** Makes the standing object that a request is about new; without a request all of them. */
  async standUp(about?: Target): Promise<void> {
    for (const [collection, object] of standing) {
      const path = `${collection}/standing`
      if (about && !about.path.startsWith(path)) continue
      if (this.#versions.has(collection)) await this.remove(path)
      const { metadata } = await this.api.create(collection, object)
      this.#versions.set(collection, metadata.resourceVersion)
    }
  }

  /** Finalizers and all. */
  async remove(path: string): Promise<void> {
    await this.api.merge(path, { metadata: { finalizers: null } })
    await this.api.delete(path)
    // Controllers may have been told of a state in between.
    await this.#server.idle()
  }

  /** The body with the version of the object that it is about. */
  withVersion(target: Target, body: Buffer): Buffer {
    const version = this.#versions.get(target.path.replace(/\/standing.*$/, '')) ?? ''
    return Buffer.from(body.toString('latin1').replaceAll(currentVersion, version), 'latin1')
  }

  /** Grows with everything that is stored, whatever it is. */
  async version(): Promise<number> {
    await this.#server.idle()
    return Number((await this.api.get('/api/v1/namespaces', { limit: '1' })).body.metadata.resourceVersion)
  }

  /** Answers as ever, and has nothing to complain about but its clients. */
  async assertSound(): Promise<void> {
    assert.deepEqual(this.#errors, [])
    const { status, body } = await this.api.get('/api/v1/namespaces/default')
    assert.equal(status, 200)
    assert.equal(body.metadata.name, 'default')
    assert.equal('polluted' in {}, false)
  }

  /** Everything there is, by collection. */
  async everything(): Promise<ReadonlyMap<string, readonly Body[]>> {
    const all = new Map<string, readonly Body[]>()
    for (const { path } of [...targets, { path: '/api/v1/namespaces' }]) {
      const collection = path.replace(/\/(standing|hostile|default\/token).*$/, '')
      const { status, body } = await this.api.get(collection)
      if (status === 200) all.set(collection, body.items)
    }
    return all
  }

  /** Stops and starts again from the disk. */
  async restarted(): Promise<HostileServer> {
    await this.#server.stop()
    const server = await KubeServer.start({ storage: { folder: this.#folder }, logger: errorLines(this.#errors) })
    return new HostileServer(server, this.#folder, this.#errors)
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function errorLines(errors: string[]): Logger {
  const ignore = () => undefined
  const error = (fields: Fields, message: string) => {
    const cause = fields['error']
    errors.push(`${message}: ${cause instanceof Error ? cause.stack : String(cause)} ${String(fields['url'] ?? '')}`)
  }
  return { debug: ignore, info: ignore, warn: ignore, error }
}
