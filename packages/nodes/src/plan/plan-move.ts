/** What a change of the pin would do, for people, before anybody makes it. Pure; made from the table that will do it. */
import { agentPodName, type CocoonSet, type Node, type Pod } from '../api/index.ts'
import { moveTable } from '../migration/move-table.ts'
import { hostOf, misfitOf } from '../pod/node-fit.ts'
import { vmNameOfPod } from '../pod/pod-view.ts'
import { membersOf } from '../set/members.ts'

export interface MovePlanInput {
  readonly set: CocoonSet
  /** Of the set. */
  readonly pods: readonly Pod[]
  readonly nodes: readonly Node[]
  readonly podsOn: (nodeName: string) => readonly Pod[]
  readonly host: string
}

export interface MovePlan {
  readonly isPossible: boolean
  readonly lines: readonly string[]
}

export function planMove({ set, pods, nodes, podsOn, host }: MovePlanInput): MovePlan {
  const { main, subAgents, toolboxes } = membersOf(pods)
  const name = agentPodName(set.metadata.name, 0)
  if (!main?.spec.nodeName)
    return { isPossible: true, lines: [`${name} runs nowhere: its pod would be made for node ${host}`] }
  if (main.spec.nodeName === host)
    return { isPossible: true, lines: [`${name} is on node ${host} already: nothing to do`] }
  const node = nodes.find(candidate => hostOf(candidate) === host)
  const misfit = misfitOf(set, host, node, node ? podsOn(node.metadata.name) : [])
  const followers = [...subAgents.values()].filter(({ spec }) => spec.nodeName !== host)
  const last = set.status?.lastMigrations?.find(({ downtimeMs }) => downtimeMs !== undefined)
  return {
    isPossible: misfit === undefined,
    lines: [
      `VM ${vmNameOfPod(main) ?? ''} of ${name}: from node ${main.spec.nodeName} to node ${host}`,
      misfit ? `it would wait, and run on where it is: ${misfit.message}` : `node ${host} can take it`,
      ...moveTable.stages.flatMap(stage => stage.steps.map(step => `${stage.name}: ${step.what}`)),
      ...followers.map(
        pod => `then, in the same way: ${pod.metadata.name} from node ${pod.spec.nodeName ?? 'nowhere'}`,
      ),
      ...(toolboxes.size > 0 ? ['toolboxes stay where they are'] : []),
      ...(last ? [`its last move kept it down for ${last.downtimeMs} ms`] : []),
    ],
  }
}
