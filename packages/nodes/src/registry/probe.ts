import type { TagFact } from '../migration/move-facts.ts'
import { RegistryError, type SnapshotRegistry, snapshotTags } from './registry.ts'

/**
 * What is known of the `:hibernate` tag of a VM. Only an answer of the registry is knowledge.
 * @param isWhole whether to read the manifest and its config as well
 */
export async function probe(
  registry: SnapshotRegistry,
  vmName: string,
  { isWhole, signal }: { readonly isWhole: boolean; readonly signal: AbortSignal },
): Promise<TagFact> {
  try {
    const tag = await registry.head(vmName, snapshotTags.hibernate, signal)
    if (!tag) return { kind: 'absent' }
    if (!isWhole) return { kind: 'present', digest: tag.digest }
    const snapshot = await registry.read(vmName, tag.digest, signal)
    if (!snapshot) return { kind: 'absent' }
    return { kind: 'present', ...snapshot }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    return { kind: 'unknown', message: `${error.failure}: ${error.message}` }
  }
}
