/** The part of a klusterlet that applies ManifestWorks and reports on them. */
import { isNotFound, type KubeClient } from '@godwit/kube'
import { findCondition, type NewCondition, writeConditions } from '../foreign/conditions.ts'
import { conditions, finalizers, klusterletWorkName } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { ManifestWork } from '../foreign/types.ts'
import type { Ports } from '../hub/context.ts'
import { addFinalizers, removeFinalizers } from '../hub/ensure.ts'
import type { HubView } from '../hub/hub-view.ts'
import { isReadOnly, readDelivery, resourceId, resourceIdentifier } from '../import/klusterlet-manifests.ts'
import type { Agent } from './agent.ts'
import type { Observation } from './state.ts'

/** Hands an observation to the klusterlet. */
export type Observe = (agent: Agent, observation: Observation) => void

/** True when the cached work (without workload) has something for the agent to do. */
export function isPending(work: ManifestWork): boolean {
  if (work.metadata.deletionTimestamp)
    return work.metadata.finalizers?.includes(finalizers.manifestWorkCleanup) === true
  const applied = findCondition(work, conditions.applied)
  return applied?.status !== 'True' || applied.observedGeneration !== work.metadata.generation
}

/**
 * Applies what is pending on the hub that the agent is connected to. Resolves with a delay in milliseconds to try
 * again when something failed.
 */
export async function syncWorks(agent: Agent, ports: Ports, observe: Observe): Promise<number | undefined> {
  const hub = agent.connectedHub
  if (!hub) return undefined
  let hasFailed = false
  for (const cached of hub.manifestWorks.list(agent.name).filter(isPending)) {
    if (agent.connectedHub !== hub) return undefined
    hasFailed = !(await syncWork({ agent, hub, name: cached.metadata.name, ports, observe })) || hasFailed
  }
  return hasFailed ? agent.state.knobs.retryMs : undefined
}

interface WorkTask {
  readonly agent: Agent
  readonly hub: HubView
  readonly name: string
  readonly ports: Ports
  readonly observe: Observe
}

/** False: try again later. */
async function syncWork(task: WorkTask): Promise<boolean> {
  const { agent, name, ports } = task
  try {
    const client = agent.identityClient()
    const ref = { name, namespace: agent.name }
    const work = await client.get<ManifestWork>(foreign.manifestWorks, ref)
    if (!work) return true
    return await (work.metadata.deletionTimestamp ? removeWork(task, client, work) : applyWork(task, client, work))
  } catch (error) {
    // Refused clusters lose access to their works sooner or later: that is their life, not a fault.
    if (!isNotFound(error))
      ports.logger.debug({ cluster: agent.name, work: name, error: String(error) }, 'work not synced')
    return isNotFound(error)
  }
}

async function removeWork(
  { agent, hub, name, observe }: WorkTask,
  client: KubeClient,
  work: ManifestWork,
): Promise<boolean> {
  await removeFinalizers(client, foreign.manifestWorks, work, each => each === finalizers.manifestWorkCleanup)
  observe(agent, { type: 'workGone', server: hub.access.server, work: name, how: 'deleted' })
  return true
}

async function applyWork(task: WorkTask, client: KubeClient, found: ManifestWork): Promise<boolean> {
  const { agent, ports } = task
  const held = [finalizers.manifestWorkCleanup]
  const work = (await addFinalizers(client, foreign.manifestWorks, found, held)) ?? found
  const { knobs } = agent.state
  const isRefused = knobs.neverAppliesConfig && task.name === klusterletWorkName(agent.name)
  const isOk = !isRefused && !agent.draws(knobs.failures.apply)
  if (isOk) takeEffect(task, work)
  await writeConditions({
    client,
    resource: foreign.manifestWorks,
    object: work,
    nowMs: ports.clock.now(),
    wanted: isOk ? appliedConditions(work) : failedConditions(work),
    fields: { resourceStatus: { manifests: isOk ? resourceStatus(work) : [] } },
  })
  return isOk || isRefused
}

/** Changes the managed cluster. */
function takeEffect({ agent, hub, name, observe }: WorkTask, work: ManifestWork): void {
  const { server } = hub.access
  const manifests = work.spec.workload?.manifests ?? []
  const configs = work.spec.manifestConfigs ?? []
  const written = manifests.filter(manifest => !isReadOnly(manifest, configs))
  const before = agent.state.works.find(each => each.server === server && each.work === name)
  const isOrphan = work.spec.deleteOption?.propagationPolicy === 'Orphan'
  const ids = new Set(manifests.map(resourceId))
  // ReadOnly writes nothing, so what was owned before stays owned.
  const kept = (before?.owns ?? []).filter(id => ids.has(id))
  const owns = isOrphan ? [] : [...new Set([...kept, ...written.map(resourceId)])]
  observe(agent, { type: 'applied', work: { server, work: name, owns } })
  if (written.length === 0) return
  const delivery = readDelivery(written, agent.state.knobs.evictionGraceMs)
  if (delivery.config || Object.keys(delivery.secrets).length > 0) observe(agent, { type: 'delivered', ...delivery })
}

const generationOf = (work: ManifestWork) =>
  work.metadata.generation ? { observedGeneration: work.metadata.generation } : {}

const appliedConditions = (work: ManifestWork): NewCondition[] => [
  {
    type: conditions.applied,
    status: 'True',
    reason: 'AppliedManifestWorkComplete',
    message: 'Apply manifest work complete',
    ...generationOf(work),
  },
  {
    type: conditions.workAvailable,
    status: 'True',
    reason: 'ResourcesAvailable',
    message: 'All resources are available',
    ...generationOf(work),
  },
]

const failedConditions = (work: ManifestWork): NewCondition[] => [
  {
    type: conditions.applied,
    status: 'False',
    reason: 'AppliedManifestWorkFailed',
    message: 'Failed to apply manifest work',
    ...generationOf(work),
  },
]

const resourceStatus = (work: ManifestWork) =>
  (work.spec.workload?.manifests ?? []).map((manifest, ordinal) => ({
    resourceMeta: { ordinal, kind: manifest.kind, ...resourceIdentifier(manifest) },
    conditions: [
      { type: 'Applied', status: 'True', reason: 'AppliedManifestComplete', message: 'Apply manifest complete' },
    ],
  }))
