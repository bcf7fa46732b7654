/** How a node agent keeps snapshots in an OCI registry: blobs first, the manifest last, which is what counts. */
import type { Transport, TransportResponse } from '@godwit/kube'
import { digestOf, type RegistryContent } from './content.ts'

/** What a snapshot says of itself, and what is in it. */
export interface SavedSnapshot {
  readonly snapshotId: string
  /** Image of the pod whose VM was saved. */
  readonly image: string
  /** Node that saved it. */
  readonly fromNode: string
  /** RFC 3339. */
  readonly createdAt: string
  /** State of the guest at the moment of the save. */
  readonly counter: number
}

export interface StoredSnapshot extends SavedSnapshot {
  readonly digest: string
}

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG_TYPE = 'application/vnd.cocoonstack.snapshot.config.v1+json'
const STATE_TYPE = 'application/vnd.cocoonstack.vm.state+json'
const BASE_IMAGE = 'cocoonstack.snapshot.baseimage'
const FROM_NODE = 'cocoonstack.snapshot.from-node'

/** An answer that is neither what was asked for nor a plain absence. */
export class SnapshotStoreError extends Error {
  override readonly name = 'SnapshotStoreError'
  readonly status: number

  constructor(what: string, status: number) {
    super(`${what}: the registry answered ${status}`)
    this.status = status
  }
}

export class SnapshotStore {
  readonly #transport: Transport
  readonly #prefix: string
  readonly #headers: Readonly<Record<string, string>>

  /** @param prefix what stands between the host and the VM's name, without slashes at its ends; may be empty */
  constructor(transport: Transport, prefix = '', headers: Readonly<Record<string, string>> = {}) {
    this.#transport = transport
    this.#prefix = prefix === '' ? '/v2' : `/v2/${prefix}`
    this.#headers = headers
  }

  /** @returns the digest of the manifest */
  async push(vmName: string, tag: string, snapshot: SavedSnapshot): Promise<string> {
    const { snapshotId, image, fromNode, createdAt, counter } = snapshot
    const state = Buffer.from(JSON.stringify({ counter }))
    const config = Buffer.from(JSON.stringify({ schemaVersion: 'v1', snapshotId, image, createdAt }))
    for (const bytes of [state, config]) await this.#putBlob(vmName, bytes)
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: 'application/vnd.cocoonstack.snapshot.v1+json',
      config: { mediaType: CONFIG_TYPE, digest: digestOf(config), size: config.length },
      layers: [
        {
          mediaType: STATE_TYPE,
          digest: digestOf(state),
          size: state.length,
          annotations: { 'org.opencontainers.image.title': 'state.json' },
        },
      ],
      annotations: {
        'org.opencontainers.image.created': createdAt,
        [BASE_IMAGE]: image,
        [FROM_NODE]: fromNode,
      },
    })
    const path = `${this.#prefix}/${vmName}/manifests/${tag}`
    const answer = await this.#send('PUT', path, { 'content-type': MANIFEST_TYPE }, manifest)
    if (answer.status !== 201) throw new SnapshotStoreError(`push of ${vmName}:${tag}`, answer.status)
    return digestOf(manifest)
  }

  /** Undefined: the registry says that there is none. Throws when it says anything else, or nothing. */
  async read(vmName: string, tag: string): Promise<StoredSnapshot | undefined> {
    const what = `read of ${vmName}:${tag}`
    const answer = await this.#send('GET', `${this.#prefix}/${vmName}/manifests/${tag}`, { accept: MANIFEST_TYPE })
    const text = await answer.text()
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw new SnapshotStoreError(what, answer.status)
    const manifest = JSON.parse(text) as ManifestShape
    const config = (await this.#readBlob(vmName, manifest.config.digest)) as { snapshotId: string; createdAt: string }
    const [layer] = manifest.layers
    const state = (await this.#readBlob(vmName, layer?.digest ?? '')) as { counter: number }
    return {
      digest: digestOf(text),
      snapshotId: config.snapshotId,
      createdAt: config.createdAt,
      image: manifest.annotations?.[BASE_IMAGE] ?? '',
      fromNode: manifest.annotations?.[FROM_NODE] ?? '',
      counter: state.counter,
    }
  }

  /** Deletes by digest what was pushed; one that is gone is fine. */
  async drop(vmName: string, digest: string): Promise<void> {
    const { status } = await this.#send('DELETE', `${this.#prefix}/${vmName}/manifests/${digest}`)
    if (status !== 202 && status !== 404) throw new SnapshotStoreError(`deletion of ${vmName}`, status)
  }

  async #putBlob(vmName: string, bytes: Buffer): Promise<void> {
    const digest = digestOf(bytes)
    const blobs = `${this.#prefix}/${vmName}/blobs`
    if ((await this.#send('HEAD', `${blobs}/${digest}`)).status === 200) return
    const begun = await this.#send('POST', `${blobs}/uploads/`)
    const location = begun.headers['location']
    if (begun.status !== 202 || typeof location !== 'string')
      throw new SnapshotStoreError(`upload to ${vmName}`, begun.status)
    const { pathname, searchParams } = new URL(location, 'http://registry')
    searchParams.set('digest', digest)
    const type = { 'content-type': 'application/octet-stream' }
    const done = await this.#send('PUT', `${pathname}?${searchParams}`, type, bytes)
    if (done.status !== 201) throw new SnapshotStoreError(`upload to ${vmName}`, done.status)
  }

  async #readBlob(vmName: string, digest: string): Promise<unknown> {
    const answer = await this.#send('GET', `${this.#prefix}/${vmName}/blobs/${digest}`)
    const text = await answer.text()
    if (answer.status !== 200) throw new SnapshotStoreError(`blob of ${vmName}`, answer.status)
    return JSON.parse(text)
  }

  async #send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string | Buffer,
  ): Promise<TransportResponse> {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = { method, path, headers: { ...this.#headers, ...headers, ...length } }
    const answer = await this.#transport.request({ ...request, ...(body !== undefined && { body }) })
    // A body that nobody reads would keep its connection busy.
    if (method !== 'GET') await answer.text()
    return answer
  }
}

interface ManifestShape {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string }[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** What a snapshot holds, looked up where the registry keeps it; undefined: there is none, or it is damaged. */
export function counterOfSnapshot(content: RegistryContent, repository: string, reference: string): number | undefined {
  const manifest = content.manifest(repository, reference)
  if (!manifest) return undefined
  const [layer] = (JSON.parse(String(manifest.bytes)) as ManifestShape).layers
  const state = layer && content.blob(repository, layer.digest)
  return state && (JSON.parse(String(state)) as { readonly counter: number }).counter
}
