import { Terminal } from '@godwit/core'
import { type KubeClient, resources } from '@godwit/kube'
import type { Secret } from '../api/index.ts'
import { decodeBundle, type OpenBundle } from './bundle.ts'
import { open } from './seal.ts'

export interface BundleReaderOptions {
  /** Client of the global hub, confined to `namespace`. */
  readonly globalHub: KubeClient
  readonly namespace: string
  /** Private key of a migration; undefined when it is gone. */
  readonly privateKey: (migrationUid: string) => Promise<string | undefined>
}

/** Bundles that are kept open at the same time: what is opened for one cluster serves its neighbours. */
const MAX_OPEN = 4

/** Reads and opens bundles; each once for all the clusters in it, and never more than a few in memory. */
export class BundleReader {
  readonly #options: BundleReaderOptions
  readonly #opened = new Map<string, Promise<OpenBundle>>()

  constructor(options: BundleReaderOptions) {
    this.#options = options
  }

  /** Rejects with `Terminal('SealBroken')` when nobody here can open it, and with a plain error while it is not there. */
  read(name: string, migrationUid: string): Promise<OpenBundle> {
    const key = `${migrationUid}/${name}`
    const known = this.#opened.get(key)
    if (known) return known
    const opening = this.#open(name, migrationUid)
    this.#opened.set(key, opening)
    opening.catch(() => this.#opened.delete(key))
    const [oldest] = this.#opened.keys()
    if (this.#opened.size > MAX_OPEN && oldest !== undefined) this.#opened.delete(oldest)
    return opening
  }

  async #open(name: string, migrationUid: string): Promise<OpenBundle> {
    const { globalHub, namespace, privateKey } = this.#options
    const secret = await globalHub.get<Secret>(resources.secrets, { name, namespace })
    const sealed = secret?.data?.['bundle']
    if (!sealed) throw new Error(`bundle Secret ${namespace}/${name} is not there yet`)
    const key = await privateKey(migrationUid)
    if (key === undefined)
      throw new Terminal('SealBroken', 'the sealing key of the migration is gone from the target hub')
    return decodeBundle(open(Buffer.from(sealed, 'base64'), key, migrationUid), migrationUid)
  }
}
