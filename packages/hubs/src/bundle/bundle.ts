import { createHash } from 'node:crypto'
import { Terminal } from '@godwit/core'
import type { KubeObject } from '@godwit/kube'
import { z } from 'zod'

/** The reference's limit of one bundle; sealed and encoded it stays below the size limit of an object. */
export const MAX_BUNDLE_BYTES = 700 * 1024

const bundleSchema = z.object({
  version: z.literal(1),
  migration: z.string(),
  items: z.array(z.object({ cluster: z.string(), objects: z.string() })),
})

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
  Buffer.from(JSON.stringify({ version: 1, migration, items }))

/** Throws `Terminal('BundleRefused')` for a bundle of another migration or without an item of this digest. */
export function itemOf(bundle: Buffer, migration: string, cluster: string, digest: string): readonly KubeObject[] {
  const parsed = bundleSchema.safeParse(parseJson(bundle))
  if (!parsed.success) throw new Terminal('BundleRefused', `the bundle of ${cluster} has an unknown form`)
  if (parsed.data.migration !== migration)
    throw new Terminal('BundleRefused', `the bundle of ${cluster} belongs to another migration`)
  const item = parsed.data.items.find(candidate => candidate.cluster === cluster)
  if (!item || digestOf(item.objects) !== digest)
    throw new Terminal('BundleRefused', `the bundle holds no item ${cluster} with digest ${digest}`)
  return JSON.parse(item.objects) as readonly KubeObject[]
}

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'))
  } catch {
    return undefined
  }
}
