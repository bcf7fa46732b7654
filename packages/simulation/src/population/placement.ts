import type { KubeClient, KubeObject } from '@godwit/kube'
import { labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import { createIfAbsent } from '../hub/ensure.ts'

/** Kubernetes limits how many decisions one object holds. */
const DECISIONS_PER_OBJECT = 100

/** Decides a Placement by hand: its decisions, in objects of at most 100, name exactly these clusters. */
export async function decidePlacement(
  client: KubeClient,
  placement: { readonly name: string; readonly namespace: string },
  clusters: readonly string[],
): Promise<void> {
  const { name, namespace } = placement
  const apiVersion = 'cluster.open-cluster-management.io/v1beta1'
  const object: KubeObject & { spec: object } = {
    apiVersion,
    kind: 'Placement',
    metadata: { name, namespace },
    spec: {},
  }
  await createIfAbsent(client, foreign.placements, object)
  for (let start = 0; start === 0 || start < clusters.length; start += DECISIONS_PER_OBJECT) {
    const decisions = clusters
      .slice(start, start + DECISIONS_PER_OBJECT)
      .map(clusterName => ({ clusterName, reason: '' }))
    const ref = { name: `${name}-decision-${start / DECISIONS_PER_OBJECT + 1}`, namespace }
    await createIfAbsent(client, foreign.placementDecisions, {
      apiVersion,
      kind: 'PlacementDecision',
      metadata: { ...ref, labels: { [labels.placement]: name } },
    })
    await client.patch(foreign.placementDecisions, ref, { status: { decisions } }, { subresource: 'status' })
  }
}
