import { isAlreadyExists, type KubeClient, resources } from '@godwit/kube'
import { ownLabels } from '../api/index.ts'
import { digestOf, encodeBundle, MAX_BUNDLE_BYTES, type PackedItem } from './bundle.ts'
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
    if (this.#pack.length > 0 && packedBytes + waiting.sizeBytes > MAX_BUNDLE_BYTES) this.#flush()
    this.#pack.push(waiting)
  }

  async #flush(): Promise<void> {
    const pack = this.#pack
    this.#pack = []
    try {
      const bundle = await this.#store(pack.map(({ item }) => item))
      for (const { item, resolve } of pack) resolve({ bundle, digest: digestOf(item.objects) })
    } catch (error) {
      for (const { reject } of pack) reject(error)
    }
  }

  /** The name follows from the content, so a repeated write finds the Secret that an earlier run left. */
  async #store(items: readonly PackedItem[]): Promise<string> {
    const { client, namespace, migrationUid, sealTo } = this.#options
    const plain = encodeBundle(migrationUid, items)
    const name = `godwit-bundle-${digestOf(`${migrationUid}/${sealTo}/${plain.toString('utf8')}`).slice(0, 32)}`
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
