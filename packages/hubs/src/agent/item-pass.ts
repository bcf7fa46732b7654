/** One pass over one task with items: observe, decide, persist, perform. */
import { type EffectRunner, mergeDiff, type Outcome } from '@godwit/engine'
import { type MigrationTask, type Progress, stageIndex } from '../api/index.ts'
import type { TaskCache } from '../record/task-cache.ts'
import { type Advance, advance, type ItemJob, type Remembered, type Role } from './advance.ts'
import type { Evidence } from './facts.ts'

export interface ItemPassOptions<Facts extends Remembered, Effect> {
  readonly role: Role<Facts, Effect>
  readonly observe: (task: MigrationTask, name: string, remembered: Remembered) => Facts
  readonly runner: EffectRunner<Job<Effect>, Evidence>
  readonly tasks: TaskCache
  readonly now: () => string
}

/** What the runner performs: an effect of one item, with the progress that was persisted before it. */
export interface Job<Effect> extends ItemJob {
  readonly effect: Effect
}

export const itemKey = (task: MigrationTask, name: string) => `${task.metadata.namespace}/${task.metadata.name}/${name}`

interface Next<Effect> extends Advance<Effect> {
  readonly name: string
  readonly key: string
  /** The outcome that this look has taken into the progress. */
  readonly outcome: Outcome<Evidence> | undefined
}

export async function passOverItems<Facts extends Remembered, Effect>(
  options: ItemPassOptions<Facts, Effect>,
  task: MigrationTask,
): Promise<MigrationTask> {
  const nexts = Object.keys(task.spec.items ?? {}).map(name => look(options, task, name))
  const written = await persist(options, task, nexts)
  const isActing = nexts.some(({ effects }) => effects.length > 0)
  const isFenced = written !== task || !isActing || (await options.tasks.isCurrent(task))
  for (const { key, name, effects, progress, outcome } of nexts) {
    if (outcome) options.runner.settle(key, outcome)
    if (isTurned(task.status?.items?.[name], progress)) options.runner.forget(key)
    if (effects.length === 0 || !progress || !isFenced) continue
    options.runner.start(
      key,
      effects.map(effect => ({ task: written, name, progress, effect })),
    )
  }
  return written
}

/** While effects of an item run, its world is in motion: it is looked at again when they have settled. */
function look<Facts extends Remembered, Effect>(
  { role, observe, runner, now }: ItemPassOptions<Facts, Effect>,
  task: MigrationTask,
  name: string,
): Next<Effect> {
  const key = itemKey(task, name)
  const progress = task.status?.items?.[name]
  const wish = task.spec.items?.[name]
  if (!wish || runner.isRunning(key)) return { name, key, progress, effects: [], outcome: undefined }
  const facts = (remembered: Remembered) => observe(task, name, remembered)
  const outcome = runner.outcome(key)
  return { name, key, outcome, ...advance(role, { wish, progress, facts, outcome, now: now() }) }
}

/** An item that goes back does not wait until what failed on its way forward may be tried again. */
const isTurned = (before: Progress | undefined, after: Progress | undefined) =>
  before !== undefined && after !== undefined && before.direction !== after.direction

async function persist<Effect>(
  { tasks }: { readonly tasks: TaskCache },
  task: MigrationTask,
  nexts: readonly Next<Effect>[],
): Promise<MigrationTask> {
  const items: Record<string, Progress> = {}
  for (const { name, progress } of nexts) if (progress) items[name] = progress
  const after = { items, observedGeneration: task.metadata.generation, epoch: task.spec.epoch }
  const patch = mergeDiff({ ...task.status }, { ...task.status, ...after })
  return patch ? tasks.patchStatus(task, patch) : task
}

/** How many items are under way, for the recovery line. */
export function openItems(task: MigrationTask): readonly { readonly name: string; readonly stage: string }[] {
  return Object.entries(task.spec.items ?? {}).flatMap(([name, wish]) => {
    const progress = task.status?.items?.[name]
    const isReached =
      progress?.state === 'Done' &&
      progress.direction === wish.direction &&
      stageIndex(progress.stage) === stageIndex(wish.stage)
    return isReached ? [] : [{ name, stage: progress?.stage ?? wish.stage }]
  })
}
