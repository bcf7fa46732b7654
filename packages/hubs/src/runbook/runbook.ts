/**
 * The rest of a rollback, for a person: which steps are done, which are to do, with commands that have the real names.
 * Made from the rows that undo it automatically, so the two cannot disagree. Pure.
 */
import type { StageTable } from '@godwit/core'
import {
  annotations,
  type ManagedClusterMigration,
  type Progress,
  type Role,
  STAGES,
  type StageName,
  stageIndex,
} from '../api/index.ts'
import { controllerItemTable, hasUndone, type ItemFacts } from '../controller/item-table.ts'
import { sourceItemTable } from '../source/item-table.ts'
import { sourceSharedTable } from '../source/shared-table.ts'
import { targetItemTable } from '../target/item-table.ts'
import { targetSharedTable } from '../target/shared-table.ts'
import { sourceItemCommands, targetItemCommands } from './item-commands.ts'
import { GLOBAL_HUB } from './kubectl.ts'
import { controllerCommands, sourceSharedCommands, targetSharedCommands } from './shared-commands.ts'
import { supposedSharedSource, supposedSharedTarget, supposedSource, supposedTarget } from './supposed.ts'

export interface RunbookStep {
  readonly hub: string
  readonly stage: StageName
  readonly what: string
  /** Must be seen to hold before the commands are given. */
  readonly onlyWhen?: string
  readonly isDone: boolean
  readonly commands: readonly string[]
  /** How one sees that the stage is undone; with its last step only. */
  readonly doneWhen?: string
}

interface SideRows<Facts, Effect> {
  readonly table: StageTable<Facts, Effect, StageName>
  readonly facts: Facts
  readonly commands: (effect: Effect) => readonly string[]
  readonly hub: string
  readonly progress: Progress | undefined
}

/** The side never came as far as this stage. */
const neverDid = (progress: Progress | undefined, stage: StageName) =>
  !progress || (progress.direction === 'Forward' && stageIndex(progress.stage) < stageIndex(stage))

function stepsOf<Facts, Effect>(side: SideRows<Facts, Effect>, stage: StageName): RunbookStep[] {
  const { table, facts, commands, hub, progress } = side
  const row = table.stages.find(({ name }) => name === stage)
  if (!row || neverDid(progress, stage)) return []
  const isDone = hasUndone(progress, stage)
  return row.undo.map((step, index) => ({
    hub,
    stage,
    what: step.what,
    ...(step.permit && { onlyWhen: step.permit.what }),
    isDone,
    commands: step.missing(facts).flatMap(effect => commands(effect)),
    ...(index === row.undo.length - 1 && row.undone.what !== NOTHING && { doneWhen: row.undone.what }),
  }))
}

const NOTHING = 'nothing to prove'

export interface ItemRunbookInput {
  readonly migrationUid: string
  readonly item: ItemFacts
}

/** In the order in which the controller has stages undone: from the last stage back, side by side. */
export function itemRunbook({ migrationUid, item }: ItemRunbookInput): RunbookStep[] {
  const { name: cluster, source, target } = item
  const of = (progress: Progress | undefined) => ({ cluster, migrationUid, to: target.hub, progress })
  const objects = target.progress?.evidence?.['objects']
  const sides = {
    Source: (stage: StageName) =>
      stepsOf(
        {
          table: sourceItemTable,
          facts: supposedSource(of(source.progress)),
          commands: effect => sourceItemCommands({ hub: source.hub, cluster }, effect),
          hub: source.hub,
          progress: source.progress,
        },
        stage,
      ),
    Target: (stage: StageName) =>
      stepsOf(
        {
          table: targetItemTable,
          facts: supposedTarget(of(target.progress)),
          commands: effect => targetItemCommands({ hub: target.hub, cluster, objects }, effect),
          hub: target.hub,
          progress: target.progress,
        },
        stage,
      ),
  }
  return STAGES.toReversed().flatMap(stage => rolesUndoing(stage).flatMap(role => sides[role](stage)))
}

const untouched = { hub: '', wish: undefined, progress: undefined }

/** Which sides the controller asks to undo a stage, in its order. */
function rolesUndoing(stage: StageName): Role[] {
  const facts: ItemFacts = { name: '', source: untouched, target: untouched, isBundleDelivered: () => false }
  const row = controllerItemTable.stages.find(({ name }) => name === stage)
  return (row?.undo ?? [])
    .flatMap(step => step.missing(facts))
    .flatMap(effect => (effect.kind === 'wish' ? [effect.side] : []))
}

export interface SharedRunbookInput {
  readonly migration: ManagedClusterMigration
  readonly source: Progress | undefined
  readonly target: Progress | undefined
  /** ServiceAccount that clusters bootstrapped with. */
  readonly user: string | undefined
}

/** What a migration needs once: last of all, when no cluster needs it any more. */
export function sharedRunbook({ migration, source, target, user }: SharedRunbookInput): RunbookStep[] {
  const { metadata, spec } = migration
  const place = {
    migration: metadata.name,
    uid: metadata.uid ?? '',
    from: spec?.from ?? '',
    to: spec?.to ?? '',
  }
  const ofStage = (stage: StageName) => [
    ...stepsOf(
      {
        table: sourceSharedTable,
        facts: supposedSharedSource(place.to),
        commands: effect => sourceSharedCommands(place, effect),
        hub: place.from,
        progress: source,
      },
      stage,
    ),
    ...stepsOf(
      {
        table: targetSharedTable,
        facts: supposedSharedTarget(place.migration, user),
        commands: effect => targetSharedCommands(place, effect),
        hub: place.to,
        progress: target,
      },
      stage,
    ),
  ]
  const revocation: RunbookStep = {
    hub: GLOBAL_HUB,
    stage: 'Initializing',
    what: 'delete the ManagedServiceAccount, which makes its token invalid, and the credential',
    isDone: false,
    commands: (['deleteServiceAccount', 'deleteCredential'] as const).flatMap(kind =>
      controllerCommands(place, { kind }),
    ),
  }
  return [...STAGES.toReversed().flatMap(ofStage), revocation]
}

/** The steps as text: what is done is told, what is to do can be pasted. */
export function renderRunbook(title: string, steps: readonly RunbookStep[]): string {
  const open = steps.filter(step => markOf(step) === 'to do')
  const lines = steps.flatMap((step, index) => [
    '',
    `# ${index + 1}. [${markOf(step)}] ${step.stage}, ${step.hub}: ${step.what}`,
    ...(step.isDone || !step.onlyWhen ? [] : [`#    only when ${step.onlyWhen}`]),
    ...(step.isDone ? [] : step.commands),
    ...(step.isDone || !step.doneWhen ? [] : [`#    done when ${step.doneWhen}`]),
  ])
  return [`# ${title}`, `# ${open.length} of ${steps.length} steps are to do.`, ...lines, ''].join('\n')
}

/** A step that needs no command for this cluster, and no proof, is nobody's work. */
function markOf({ isDone, commands, doneWhen }: RunbookStep): 'done' | 'nothing to do' | 'to do' {
  if (isDone) return 'done'
  return commands.length === 0 && doneWhen === undefined ? 'nothing to do' : 'to do'
}

/** How to have Godwit try the rest again by itself. */
export const askAgain = ({ metadata }: ManagedClusterMigration) =>
  `kubectl --context ${GLOBAL_HUB} -n ${metadata.namespace ?? ''} annotate managedclustermigrations.global-hub.open-cluster-management.io ${metadata.name} ${annotations.request}=rollback`
