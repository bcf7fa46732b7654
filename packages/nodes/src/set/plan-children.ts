/** Sub-agents and toolboxes: made, made anew within a budget, and taken away. */
import { Terminal } from '@godwit/core'
import {
  agentPodName,
  type Pod,
  podAnnotations,
  setAnnotations,
  type ToolboxSpec,
  toolboxPodName,
} from '../api/index.ts'
import { buildAgentPod, buildToolboxPod, isStatic, withForkFrom } from '../pod/build-pod.ts'
import { driftOf } from '../pod/drift.ts'
import { annotationOf, isTerminal, isTerminating, vmNameOfPod } from '../pod/pod-view.ts'
import { type Members, podNamesOf } from './members.ts'
import type { PlanDraft } from './plan-draft.ts'
import { bootOf, create, isParkedAt } from './plan-main.ts'
import { afterRebuild, parseHistory, type RebuildHistory, rebuildWaitMs } from './rebuild.ts'

export function planChildren(draft: PlanDraft, members: Members): void {
  const { set } = draft.facts
  const before = set.metadata.annotations?.[setAnnotations.rebuildHistory]
  const budget = new Budget(draft, parseHistory(before, podNamesOf(set)))
  planSubAgents(draft, members, budget)
  planToolboxes(draft, members, budget)
  budget.write(before)
}

function planSubAgents(draft: PlanDraft, { main, subAgents }: Members, budget: Budget): void {
  const { set } = draft.facts
  const mainVmName = (main && vmNameOfPod(main)) ?? ''
  for (let slot = 1; slot <= set.spec.agent.replicas; slot++) {
    const name = agentPodName(set.metadata.name, slot)
    const pod = subAgents.get(slot)
    if (draft.move(name)) continue
    const placement = { isRestore: false, nodeName: main?.spec.nodeName }
    const wanted = withForkFrom(buildAgentPod(set, slot, placement), mainVmName)
    if (pod) {
      budget.mend(pod, driftOf(pod, wanted, { isAgent: true }))
      continue
    }
    const boot = bootOf(draft, name, { isOwed: false, isProbed: false })
    if (boot.kind === 'hold') continue
    const made = { ...placement, isRestore: boot.kind === 'restore', vmName: boot.vmName }
    create(draft, withForkFrom(buildAgentPod(set, slot, made), mainVmName))
  }
  for (const [slot, pod] of subAgents) if (!(slot >= 1 && slot <= set.spec.agent.replicas)) remove(draft, pod)
}

function planToolboxes(draft: PlanDraft, { toolboxes }: Members, budget: Budget): void {
  const { set } = draft.facts
  const wanted = set.spec.toolboxes ?? []
  for (const toolbox of wanted) planToolbox(draft, toolbox, toolboxes.get(toolbox.name), budget)
  for (const [name, pod] of toolboxes) if (!wanted.some(toolbox => toolbox.name === name)) remove(draft, pod)
}

function planToolbox(draft: PlanDraft, toolbox: ToolboxSpec, pod: Pod | undefined, budget: Budget): void {
  const { set } = draft.facts
  const fresh = buildToolboxPod(set, toolbox, { isRestore: false })
  if (pod) budget.mend(pod, driftOf(pod, fresh, { isAgent: false }))
  else if (isStatic(toolbox)) create(draft, fresh)
  else createToolbox(draft, toolbox, fresh.metadata.name)
}

function createToolbox(draft: PlanDraft, toolbox: ToolboxSpec, podName: string): void {
  const { kind, vmName } = bootOf(draft, podName, { isOwed: false, isProbed: false })
  if (kind === 'hold') return
  create(draft, buildToolboxPod(draft.facts.set, toolbox, { isRestore: kind === 'restore', vmName }))
}

function remove(draft: PlanDraft, pod: Pod): void {
  if (draft.move(pod.metadata.name) === undefined && !isTerminating(pod))
    draft.effects.push({ kind: 'deletePod', pod, isKeepingSnapshot: false })
}

/** Refused before anything is written. Throws Terminal. */
export function checkToolboxes({ facts: { set, pods } }: PlanDraft): void {
  const names = new Set<string>()
  for (const { name } of set.spec.toolboxes ?? []) {
    if (names.has(name)) throw new Terminal('InvalidToolbox', `toolbox ${name} is named twice`)
    if (/^\d+$/.test(name)) throw new Terminal('InvalidToolbox', `toolbox ${name}: a number is the name of an agent`)
    const taken = pods.find(pod => pod.metadata.name === toolboxPodName(set.metadata.name, name))
    if (taken && taken.metadata.labels?.['cocoonset.cocoonstack.io/role'] !== 'toolbox')
      throw new Terminal('InvalidToolbox', `toolbox ${name}: its pod name is taken by another pod`)
    names.add(name)
  }
}

/** How often pods may still be made anew. Written before the pod is deleted: a crash counts one too many at most. */
class Budget {
  readonly #draft: PlanDraft
  #history: RebuildHistory

  constructor(draft: PlanDraft, history: RebuildHistory) {
    this.#draft = draft
    this.#history = history
  }

  mend(pod: Pod, drift: string | undefined): void {
    const { name } = pod.metadata
    const { generation = 0 } = this.#draft.facts.set.metadata
    if (!isTerminal(pod) && drift === undefined) return
    const parked = annotationOf(pod, podAnnotations.deadLetter)
    if (parked !== undefined && isParkedAt(pod, generation)) return
    if (parked !== undefined) {
      const { [name]: _, ...others } = this.#history
      this.#history = others
    }
    const waitMs = rebuildWaitMs(this.#history[name], this.#draft.facts.nowMs)
    if (waitMs === undefined) this.#park(pod)
    else if (waitMs > 0) this.#draft.lookAgainIn(waitMs)
    else this.#rebuild(pod, drift)
  }

  #rebuild(pod: Pod, drift: string | undefined): void {
    const { name } = pod.metadata
    this.#history = afterRebuild(this.#history, name, this.#draft.facts.nowMs)
    this.#draft.events.push({
      type: 'Normal',
      reason: 'SubAgentRebuilding',
      message: `${name}: ${drift === undefined ? 'its VM failed' : `differs from the spec in ${drift}`}`,
    })
    this.#draft.effects.push({ kind: 'deletePod', pod, isKeepingSnapshot: false })
  }

  #park(pod: Pod): void {
    this.#draft.warn('SubAgentDeadLetter', `${pod.metadata.name} failed too often; edit the spec to try again`)
    this.#draft.effects.push({ kind: 'parkPod', pod })
  }

  write(before: string | undefined): void {
    const isEmpty = Object.keys(this.#history).length === 0
    const text = isEmpty ? null : JSON.stringify(this.#history)
    if (text !== (before ?? null)) this.#draft.annotations[setAnnotations.rebuildHistory] = text
  }
}
