/** The last look before a snapshot goes. */
import { Retryable } from '@godwit/core'
import { type KubeClient, refOf, resources } from '@godwit/kube'
import type { Pod } from '../api/index.ts'

/**
 * INV-3: a registry may take its time to answer, and what its answer shows may be newer than the pod that was decided
 * on. A pod that is still the same version served all the while, so the digest is of an older state.
 * Throws Retryable when it is not.
 */
export async function stillAs(client: KubeClient, witness: Pod): Promise<void> {
  const now = await client.get<Pod>(resources.pods, refOf(witness))
  const isSame =
    now?.metadata.uid === witness.metadata.uid && now?.metadata.resourceVersion === witness.metadata.resourceVersion
  if (!isSame) throw new Retryable(`pod ${witness.metadata.name} changed while the registry was asked`)
}
