/** What is wrong with the end of a run, and what that end was. */
import { isDeepStrictEqual } from 'node:util'
import { type CocoonSet, labels, podAnnotations } from '@godwit/nodes'
import type { NodesWorld } from './world.ts'

export interface EndState {
  readonly sets: readonly {
    readonly name: string
    readonly phase: string | undefined
    readonly agents: readonly (readonly [podName: string, vmName: string])[]
    readonly debts: readonly string[]
    readonly migrations: number
  }[]
  readonly guests: readonly (readonly [vmName: string, node: string])[]
  readonly pods: readonly string[]
  readonly tags: readonly string[]
}

export function endOf(world: NodesWorld): EndState {
  const sets = world.sets().map(({ metadata, status }) => ({
    name: metadata.name,
    phase: status?.phase,
    agents: (status?.agents ?? []).map(({ podName = '', vmName = '' }) => [podName, vmName] as const),
    debts: (status?.debts ?? []).map(({ vmName }) => vmName),
    migrations: status?.migrations?.length ?? 0,
  }))
  return {
    sets: sets.sort((a, b) => a.name.localeCompare(b.name)),
    guests: world.cluster.agents
      .guests()
      .map(({ vmName, node }) => [vmName, node] as const)
      .sort(),
    pods: world
      .pods()
      .map(({ metadata, spec }) => `${metadata.name} on ${spec?.nodeName ?? 'no node'}`)
      .sort(),
    tags: [...world.registry.content.allTags()].map(({ repository, tag }) => `${repository}:${tag}`).sort(),
  }
}

/** @returns one line for each part in which the ends differ */
export function compareEnds(expected: EndState, actual: EndState): string[] {
  return (['sets', 'guests', 'pods', 'tags'] as const).flatMap(part =>
    isDeepStrictEqual(expected[part], actual[part])
      ? []
      : [`I9: ${part}: ${JSON.stringify(actual[part])} instead of ${JSON.stringify(expected[part])}`],
  )
}

const SETTLED: readonly (string | undefined)[] = ['Running', 'Suspended']

/** I6: what a set may end as, when nobody does anything any more. */
export function unsettled(world: NodesWorld, { metadata, status }: CocoonSet): string | undefined {
  const { phase, conditions = [], migrations = [] } = status ?? {}
  if (SETTLED.includes(phase) && migrations.length === 0) return undefined
  if (migrations.length === 0 && isHibernatedByRequest(world, metadata.name)) return undefined
  const reasons = conditions.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)
  const waits = migrations.map(({ stage, waitsFor }) => `${stage}: ${waitsFor ?? 'nothing'}`)
  // A state that names what is the matter, and waits for a person, is an end too.
  const isOnDeadNode = conditions.some(({ message }) => /; (node|pod) /.test(message))
  const isLost = conditions.some(condition => condition.type === 'SnapshotLost' && condition.status === 'True')
  const isExplained =
    phase === 'Failed' || isOnDeadNode || isLost || migrations.some(({ waitsFor }) => waitsFor !== undefined)
  return isExplained && conditions.length > 0
    ? undefined
    : `I6: ${metadata.name} is ${phase}; ${[...reasons, ...waits].join(', ')}`
}

/** A CocoonHibernation holds one of its VMs: then the set is not ready, and rightly so. */
const isHibernatedByRequest = (world: NodesWorld, name: string) =>
  world.pods().some(({ metadata: { labels: own = {}, annotations = {} } }) => {
    const isHeld = annotations[podAnnotations.claim]?.startsWith('hibernation/') === true
    return own[labels.set] === name && isHeld && annotations[podAnnotations.lifecycleState] === 'hibernated'
  })
