import { Terminal } from '@godwit/core'
import { isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import { ownLabels } from '../api/index.ts'
import { digestOf, encodeBundle, MAX_PACK_BYTES, MAX_STORED_BYTES, type PackedItem } from './bundle.ts'
import { seal } from './seal.ts'

export interface BundleTicket {
  readonly bundle: string
  readonly digest: string
}

interface Waiting {
  readonly item: PackedItem
  readonly sizeBytes: number
  resolve(ticket: BundleTicket): void
  reject(error: unknown): void
}

export interface BundleWriterOptions {
  /** Client of the global hub, confined to `namespace`. */
  readonly client: KubeClient
  readonly namespace: string
  readonly migrationUid: string
  /** Public key of the receiving agent. */
  readonly sealTo: string
}

/**
 * Packs clusters that are ready at about the same time into as few Secrets as fit: a pack goes out when it is full, or
 * when no item that is being collected is still on the way.
 */
export class BundleWriter {
  readonly #options: BundleWriterOptions
  #announced = 0
  #pack: Waiting[] = []

  constructor(options: BundleWriterOptions) {
    this.#options = options
  }

  /** Collects one item and resolves once the Secret that holds it is stored. */
  async write(collectItem: () => Promise<PackedItem>): Promise<BundleTicket> {
    this.#announced++
    let item: PackedItem
    try {
      item = await collectItem()
    } catch (error) {
      this.#arrived()
      throw error
    }
    return new Promise<BundleTicket>((resolve, reject) => {
      this.#add({ item, sizeBytes: Buffer.byteLength(item.objects), resolve, reject })
      this.#arrived()
    })
  }

  #arrived(): void {
    this.#announced--
    if (this.#announced === 0 && this.#pack.length > 0) this.#flush()
  }

  #add(waiting: Waiting): void {
    const packedBytes = this.#pack.reduce((sum, other) => sum + other.sizeBytes, 0)
    if (this.#pack.length > 0 && packedBytes + waiting.sizeBytes > MAX_PACK_BYTES) this.#flush()
    this.#pack.push(waiting)
  }

  async #flush(): Promise<void> {
    const pack = this.#pack
    this.#pack = []
    await this.#send(pack)
  }

  async #send(pack: readonly Waiting[]): Promise<void> {
    try {
      const plain = encodeBundle(
        this.#options.migrationUid,
        pack.map(({ item }) => item),
      )
      const isTooLarge = storedBytes(plain) > MAX_STORED_BYTES
      if (isTooLarge && pack.length > 1) {
        const half = Math.ceil(pack.length / 2)
        await Promise.all([this.#send(pack.slice(0, half)), this.#send(pack.slice(half))])
        return
      }
      if (isTooLarge) throw tooLarge(pack[0]?.item.cluster, storedBytes(plain))
      const bundle = await this.#store(plain)
      for (const { item, resolve } of pack) resolve({ bundle, digest: digestOf(item.objects) })
    } catch (error) {
      for (const { reject } of pack) reject(error)
    }
  }

  /** The name follows from the content, so a repeated write finds the Secret that an earlier run left. */
  async #store(plain: Buffer): Promise<string> {
    const { client, namespace, migrationUid, sealTo } = this.#options
    const name = `godwit-bundle-${digestOf(`${migrationUid}/${sealTo}/${plain.toString('base64')}`).slice(0, 32)}`
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels: ownLabels(migrationUid, 'bundle') },
      type: 'godwit.dev/bundle',
      data: { bundle: seal(plain, sealTo, migrationUid).toString('base64') },
    }
    try {
      await client.create(resources.secrets, secret)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
    return name
  }
}

/** Base64 of what is sealed; the seal itself adds less than 200 bytes. */
const storedBytes = (plain: Buffer) => Math.ceil((plain.length + 200) / 3) * 4

const tooLarge = (cluster: string | undefined, bytes: number) =>
  new Terminal(
    'BundleTooLarge',
    `the resources of ${cluster ?? 'a cluster'} need ${Math.ceil(bytes / 1024)} KiB compressed and sealed, more than the ${MAX_STORED_BYTES / 1024} KiB that one bundle may have: make its Secrets and ConfigMaps smaller`,
  )
