import type { CocoonSetStatus, MoveRecord, Pod, SetPhase, SnapshotDebt } from '../api/index.ts'
import type { TagFact } from '../migration/move-facts.ts'
import type { MoveEvent } from '../migration/step-move.ts'
import type { SetEffect, SetFacts } from './set-facts.ts'

/** A plan while it is made. It lives for one decision. */
export class PlanDraft {
  readonly facts: SetFacts
  readonly effects: SetEffect[] = []
  readonly events: MoveEvent[] = []
  readonly annotations: Record<string, string | null> = {}
  readonly needs = new Set<string>()
  /** The record part of the status. */
  record: Pick<CocoonSetStatus, 'migrations' | 'lastMigrations' | 'debts' | 'suspension'>
  /** Wins over the phase that follows from the pods. */
  phase: SetPhase | undefined
  /** Why the phase is Failed, or what the set waits for. */
  message: string | undefined
  lost: string | undefined
  #afterMs: number | undefined

  constructor(facts: SetFacts) {
    this.facts = facts
    const { migrations, lastMigrations, debts, suspension } = facts.set.status ?? {}
    this.record = {
      ...(migrations && { migrations }),
      ...(lastMigrations && { lastMigrations }),
      ...(debts && { debts }),
      ...(suspension && { suspension }),
    }
  }

  get afterMs(): number | undefined {
    return this.#afterMs
  }

  lookAgainIn(ms: number): void {
    this.#afterMs = Math.min(this.#afterMs ?? Number.POSITIVE_INFINITY, Math.max(0, ms))
  }

  /** What the registry says of a VM's tag; asks it when nobody has. */
  tag(vmName: string): TagFact {
    const known = this.facts.tags.get(vmName)
    if (!known) this.needs.add(vmName)
    return known ?? { kind: 'unasked' }
  }

  warn(reason: string, message: string): void {
    this.events.push({ type: 'Warning', reason, message })
  }

  podNamed(name: string): Pod | undefined {
    return this.facts.pods.find(({ metadata }) => metadata.name === name)
  }

  move(podName: string): MoveRecord | undefined {
    return this.record.migrations?.find(record => record.podName === podName)
  }

  debtOf(vmName: string): SnapshotDebt | undefined {
    return this.record.debts?.find(debt => debt.vmName === vmName)
  }

  setMove(podName: string, record: MoveRecord | undefined): void {
    const others = (this.record.migrations ?? []).filter(other => other.podName !== podName)
    this.record = withList(this.record, 'migrations', record ? [...others, record] : others)
  }

  setDebt(vmName: string, debt: SnapshotDebt | undefined): void {
    const others = (this.record.debts ?? []).filter(other => other.vmName !== vmName)
    this.record = withList(this.record, 'debts', debt ? [...others, debt] : others)
  }

  /** Outcomes are kept one a pod: the newest. */
  setOutcome(outcome: NonNullable<CocoonSetStatus['lastMigrations']>[number]): void {
    const others = (this.record.lastMigrations ?? []).filter(({ podName }) => podName !== outcome.podName)
    this.record = withList(this.record, 'lastMigrations', [...others, outcome])
  }

  setSuspension(suspension: CocoonSetStatus['suspension']): void {
    const { suspension: _, ...others } = this.record
    this.record = { ...others, ...(suspension && { suspension }) }
  }
}

function withList<Key extends 'migrations' | 'lastMigrations' | 'debts'>(
  record: PlanDraft['record'],
  key: Key,
  list: NonNullable<CocoonSetStatus[Key]>,
): PlanDraft['record'] {
  const { [key]: _, ...others } = record
  return list.length > 0 ? { ...others, [key]: list } : others
}
