/**
 * The spec of a migration: the reference's fields, and ours, which are all optional. What cannot be honoured once a
 * migration exists is refused by the API, so that nobody believes in an edit that does nothing.
 */
import { z } from 'zod'
import { DURATION_PATTERN } from './duration.ts'

/** At most as many clusters as one migration may name; a bound for every list and page below it. */
export const MAX_ITEMS = 5000
/** As many names may be cancelled one by one: the rule that compares both lists has to stay affordable. */
export const MAX_CANCELLED = 1000

const duration = z.string().max(64).regex(new RegExp(DURATION_PATTERN))
const clusterName = z.string().min(1).max(253)
const hubName = z.string().max(253)

const stageTimeouts = z.object({
  validating: duration.optional(),
  initializing: duration.optional(),
  deploying: duration.optional(),
  registering: duration.optional(),
  cleaning: duration.optional(),
  rollbacking: duration
    .optional()
    .describe('Deadline of a rollback: 20m. It can lengthen the default, never shorten it.'),
})

const strategy = z
  .object({
    batchSize: z
      .union([z.int(), z.string().max(4)])
      .meta({ 'x-kubernetes-int-or-string': true })
      .optional()
      .describe('Clusters of one wave: a number, or a part of all clusters (25%). Absent: all in one wave.'),
    maxConcurrent: z
      .int()
      .min(1)
      .max(MAX_ITEMS)
      .optional()
      .describe('At most so many clusters are on their way at the same time.'),
    soak: duration.optional().describe('Rest between the end of a wave and the begin of the next: 30m.'),
    stopAfterFailures: z
      .int()
      .min(1)
      .max(MAX_ITEMS)
      .optional()
      .describe('After so many failed clusters no further cluster begins; the migration ends Failed.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "!has(self.batchSize) || (type(self.batchSize) == int ? self.batchSize >= 1 && self.batchSize <= 5000 : self.batchSize.matches('^([1-9][0-9]?|100)%$'))",
        message: 'batchSize is a number from 1 to 5000 or a percentage from 1% to 100%',
        fieldPath: '.batchSize',
      },
    ],
  })

const unchanged = (field: string, otherwise: string) => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message: `${field} cannot change: ${otherwise}`,
  fieldPath: `.${field}`,
})
const NEW_MIGRATION = 'delete this migration and make a new one'

export const migrationSpec = z
  .object({
    from: hubName.describe('Name of the hub that holds the clusters: a ManagedCluster of the global hub.'),
    to: hubName.describe('Name of the hub that the clusters move to: a ManagedCluster of the global hub.'),
    includedManagedClusters: z
      .array(clusterName)
      .min(1)
      .max(MAX_ITEMS)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .optional()
      .describe('Names of the clusters to move.'),
    includedManagedClustersPlacementRef: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Name of a Placement on the source hub whose decisions are the clusters to move.'),
    supportedConfigs: z
      .object({
        stageTimeout: duration.optional().describe('Deadline of each stage: 10m.'),
        stageTimeouts: stageTimeouts
          .optional()
          .describe('Deadlines of single stages; each goes before stageTimeout. They count from the next stage on.'),
      })
      .optional(),
    strategy: strategy.optional().describe('Move the clusters in waves. Absent: all at once.'),
    paused: z
      .boolean()
      .optional()
      .describe('Nothing new begins; what is in the middle of a stage comes to its end, forward or back.'),
    dryRun: z
      .boolean()
      .optional()
      .describe('Only plan: nothing is changed on any hub. The migration begins when this is turned off.'),
    cancel: z
      .boolean()
      .optional()
      .describe('Give the migration up: clusters that have not arrived go back. It cannot be taken back.'),
    cancelledManagedClusters: z
      .array(clusterName)
      .max(MAX_CANCELLED)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .optional()
      .describe('Clusters to give up while the others go on. Names can only be added.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'has(self.includedManagedClusters) != has(self.includedManagedClustersPlacementRef)',
        message: 'exactly one of includedManagedClusters and includedManagedClustersPlacementRef must be given',
      },
      {
        rule: 'self.from != self.to',
        message: 'from and to are the same hub: name two different hubs',
        fieldPath: '.to',
      },
      unchanged('from', NEW_MIGRATION),
      unchanged('to', NEW_MIGRATION),
      unchanged('includedManagedClusters', `${NEW_MIGRATION}, or name clusters in cancelledManagedClusters`),
      unchanged('includedManagedClustersPlacementRef', NEW_MIGRATION),
      {
        rule: '!has(self.dryRun) || !self.dryRun || (has(oldSelf.dryRun) && oldSelf.dryRun)',
        message: 'dryRun can only be turned off: make a new migration to plan one',
        fieldPath: '.dryRun',
      },
      {
        rule: '!has(oldSelf.cancel) || !oldSelf.cancel || (has(self.cancel) && self.cancel)',
        message: 'a migration that is cancelled stays cancelled: make a new one',
        fieldPath: '.cancel',
      },
      {
        rule: '!has(oldSelf.cancelledManagedClusters) || (has(self.cancelledManagedClusters) && oldSelf.cancelledManagedClusters.all(name, name in self.cancelledManagedClusters))',
        message: 'a cluster that is cancelled stays cancelled: name it in a new migration',
        fieldPath: '.cancelledManagedClusters',
      },
    ],
  })

export type MigrationSpec = z.infer<typeof migrationSpec>
export type Strategy = z.infer<typeof strategy>
export type StageTimeouts = z.infer<typeof stageTimeouts>
