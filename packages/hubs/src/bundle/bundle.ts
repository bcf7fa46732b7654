import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Terminal } from '@godwit/core'
import type { KubeObject } from '@godwit/kube'
import { z } from 'zod'

/** How much goes into one bundle, before it is compressed; the reference's limit. One larger item goes alone. */
export const MAX_PACK_BYTES = 700 * 1024
/** Of a bundle as it is stored, sealed and in base64: well below what an API server takes. */
export const MAX_STORED_BYTES = 800 * 1024
/** A bundle that becomes larger than this when it is opened is not one of ours. */
const MAX_OPENED_BYTES = 32 * 1024 * 1024

const bundleSchema = z.object({
  version: z.literal(1),
  migration: z.string(),
  items: z.array(z.object({ cluster: z.string(), objects: z.string() })),
})

const objectsSchema = z.array(z.looseObject({ metadata: z.looseObject({}).optional() }))

/** One cluster in a bundle: its objects as the JSON text that the digest is taken of. */
export interface PackedItem {
  readonly cluster: string
  readonly objects: string
}

/** SHA-256, hex. */
export const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')

export const packItem = (cluster: string, objects: readonly KubeObject[]): PackedItem => ({
  cluster,
  objects: JSON.stringify(objects),
})

export const encodeBundle = (migration: string, items: readonly PackedItem[]) =>
  gzipSync(JSON.stringify({ version: 1, migration, items }))

/** The items of an opened bundle: the JSON text of the objects, by cluster. */
export type OpenBundle = ReadonlyMap<string, string>

/** Throws `Terminal('BundleRefused')` for what is no bundle, and for one of another migration. */
export function decodeBundle(plain: Buffer, migration: string): OpenBundle {
  const parsed = bundleSchema.safeParse(parse(plain))
  if (!parsed.success) throw new Terminal('BundleRefused', 'the bundle has an unknown form')
  if (parsed.data.migration !== migration)
    throw new Terminal('BundleRefused', 'the bundle belongs to another migration')
  return new Map(parsed.data.items.map(({ cluster, objects }) => [cluster, objects]))
}

/** Throws `Terminal('BundleRefused')` for a bundle without an item of this digest. */
export function itemOf(bundle: OpenBundle, cluster: string, digest: string): readonly KubeObject[] {
  const objects = bundle.get(cluster)
  if (objects === undefined || digestOf(objects) !== digest)
    throw new Terminal('BundleRefused', `the bundle holds no item ${cluster} with digest ${digest}`)
  const parsed = objectsSchema.safeParse(quietly(() => JSON.parse(objects)))
  if (!parsed.success) throw new Terminal('BundleRefused', `item ${cluster} of the bundle is not a list of objects`)
  return parsed.data as readonly unknown[] as readonly KubeObject[]
}

const parse = (plain: Buffer) =>
  quietly(() => JSON.parse(gunzipSync(plain, { maxOutputLength: MAX_OPENED_BYTES }).toString('utf8')))

function quietly(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
