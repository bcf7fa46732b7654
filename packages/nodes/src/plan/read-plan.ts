import { type KubeClient, resources } from '@godwit/kube'
import { type CocoonSet, cocoon, labels, type Node, type Pod } from '../api/index.ts'
import { isOwnedBy } from '../set/members.ts'
import { type MovePlan, planMove } from './plan-move.ts'

/** Reads what a plan needs; writes nothing. Undefined: there is no such set. */
export async function readMovePlan(
  client: Pick<KubeClient, 'get' | 'list'>,
  { namespace, name, host }: { readonly namespace: string; readonly name: string; readonly host: string },
): Promise<MovePlan | undefined> {
  const set = await client.get<CocoonSet>(cocoon.sets, { namespace, name })
  if (!set) return undefined
  const [nodes, pods] = await Promise.all([
    client.list<Node>(resources.nodes),
    client.list<Pod>(resources.pods, { labelSelector: labels.set }),
  ])
  return planMove({
    set,
    pods: pods.items.filter(pod => pod.metadata.namespace === namespace && isOwnedBy(set, pod)),
    nodes: nodes.items,
    podsOn: nodeName => pods.items.filter(({ spec }) => spec.nodeName === nodeName),
    host,
  })
}
