/** One pass over one shared task: observe by reading, decide, persist, perform. */
import { type EffectRunner, mergeDiff } from '@godwit/engine'
import type { MigrationTask, SharedProgress } from '../api/index.ts'
import type { TaskCache } from '../record/task-cache.ts'
import { advance, isAtRest, type Remembered, type Role } from './advance.ts'
import type { Evidence } from './facts.ts'

export interface SharedLook<Facts> {
  facts(remembered: Remembered): Facts
  /** Clusters that the placement chose; goes into the record, because a placement may decide anew at any time. */
  readonly selected?: readonly string[]
}

export interface SharedJob {
  readonly task: MigrationTask
}

export interface SharedPassOptions<Facts extends Remembered, Effect> {
  readonly role: Role<Facts, Effect>
  readonly look: (task: MigrationTask) => Promise<SharedLook<Facts>>
  readonly runner: EffectRunner<SharedJob & { readonly effect: Effect }, Evidence>
  readonly tasks: TaskCache
  readonly now: () => string
}

/** Rows are read over the network: not for somebody who would not decide anything. */
const NOT_LOOKED: SharedLook<never> = {
  facts() {
    throw new Error('nobody looked: there is nothing to decide')
  },
}

export const sharedKey = (task: MigrationTask) => `${task.metadata.namespace}/${task.metadata.name}`

export async function passOverShared<Facts extends Remembered, Effect>(
  options: SharedPassOptions<Facts, Effect>,
  task: MigrationTask,
): Promise<MigrationTask> {
  const key = sharedKey(task)
  const wish = task.spec.shared
  if (!wish || options.runner.isRunning(key)) return task
  const before = task.status?.shared
  const { facts, selected } = isAtRest(options.role, wish, before) ? NOT_LOOKED : await options.look(task)
  const outcome = options.runner.outcome(key)
  const { progress, effects } = advance(options.role, { wish, progress: before, facts, outcome, now: options.now() })
  const written = progress ? await persist(options.tasks, task, record(before, progress, selected)) : task
  if (outcome) options.runner.settle(key, outcome)
  if (effects.length > 0 && (written !== task || (await options.tasks.isCurrent(task))))
    options.runner.start(
      key,
      effects.map(effect => ({ task: written, effect })),
    )
  return written
}

/** The selection is taken once, when Validating is done: afterwards the set of clusters never changes (INV-9). */
function record(
  before: SharedProgress | undefined,
  progress: SharedProgress,
  selected: readonly string[] | undefined,
): SharedProgress {
  const kept = before?.selected ?? (progress.state === 'Done' && selected ? [...selected] : undefined)
  return { ...progress, ...(kept && { selected: kept }) }
}

async function persist(tasks: TaskCache, task: MigrationTask, shared: SharedProgress): Promise<MigrationTask> {
  const after = { shared, observedGeneration: task.metadata.generation, epoch: task.spec.epoch }
  const patch = mergeDiff({ ...task.status }, { ...task.status, ...after })
  return patch ? tasks.patchStatus(task, patch) : task
}
