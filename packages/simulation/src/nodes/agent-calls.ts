/** What a VM agent writes to the API: annotations, the pod's status, the end of a pod. Fenced by the pod's uid. */
import { isConflict, isNotFound, type KubeClient, resources } from '@godwit/kube'
import { rfc3339 } from '@godwit/ports'
import { podNames } from './names.ts'
import type { PodView } from './pod.ts'
import type { Guest, Published, SeatAction } from './seat.ts'

/** A successor of the pod is never labelled by its predecessor: then there is nothing to write. */
async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error
  }
}

/** Lifecycle, generation and message in one patch, with the identity of the VM when that changes too. */
export function publishLifecycle(
  client: KubeClient,
  { namespace, name, uid }: PodView,
  { state, generation, message }: Published,
  vm: Guest | null | undefined,
): Promise<void> {
  const identity =
    vm === undefined ? {} : { [podNames.vmId]: vm?.id ?? null, [podNames.ip]: vm ? addressOf(vm.id) : null }
  const annotations = {
    [podNames.lifecycle]: state,
    [podNames.lifecycleGeneration]: String(generation),
    [podNames.lifecycleMessage]: message === '' ? null : message,
    ...identity,
  }
  return unlessGone(
    client.patch(resources.pods, { namespace, name }, { metadata: { annotations } }, { precondition: { uid } }),
  )
}

export function writePodStatus(
  client: KubeClient,
  { namespace, name, uid }: PodView,
  as: Extract<SeatAction, { type: 'status' }>['as'],
  nowMs: number,
): Promise<void> {
  const isRunning = as === 'running' || as === 'ready'
  const at = rfc3339(nowMs)
  const status = {
    phase: isRunning ? 'Running' : as === 'failed' ? 'Failed' : 'Pending',
    reason: as === 'failed' ? 'VMGone' : null,
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: at },
      { type: 'Ready', status: as === 'ready' ? 'True' : 'False', lastTransitionTime: at },
    ],
    containerStatuses: isRunning
      ? [
          {
            name: 'agent',
            image: 'placeholder',
            imageID: '',
            ready: as === 'ready',
            restartCount: 0,
            state: { running: { startedAt: at } },
          },
        ]
      : null,
  }
  const options = { subresource: 'status', precondition: { uid } }
  return unlessGone(client.patch(resources.pods, { namespace, name }, { status }, options))
}

/** The end of a pod, said by whoever ran it. */
export async function forgetPod(
  client: KubeClient,
  { namespace, name, uid }: Pick<PodView, 'namespace' | 'name' | 'uid'>,
) {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid } }
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
  await unlessGone(client.request('DELETE', path, { body }))
}

/** An address that belongs to the VM and to nobody else nearby. */
function addressOf(id: string): string {
  let hash = 0
  for (const char of id) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) >>> 0
  return `10.${(hash >>> 16) & 255}.${(hash >>> 8) & 255}.${hash & 255 || 1}`
}
