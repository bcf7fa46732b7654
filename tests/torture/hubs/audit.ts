/**
 * Judges every write of controller and agents in the moment in which it is decided, by what the record and the hubs say
 * then: looks from time to time see only what came of it. Told of the author, it never blames the wrong one.
 */
import {
  isTerminal,
  type ManagedCluster,
  type ManagedClusterMigration,
  type MigrationTask,
  stageIndex,
} from '@godwit/hubs'
import type { KubeObject } from '@godwit/kube'
import type { ChangeNote } from '@godwit/kube-server'
import { PARTIES, type PartyName, type ServerName, userOf } from './world-image.ts'

/** What the audit may see of the world. */
export interface Audited {
  /** The clusters of the migration. */
  readonly names: readonly string[]
  peek<T extends KubeObject>(server: ServerName, collection: string): readonly T[]
  /** Where the klusterlet of a cluster is now. */
  hubOf(cluster: string): string | undefined
}

/** One write of one party. `before` and `after` are undefined when there is nothing. */
interface Write {
  readonly party: PartyName
  readonly process: number
  readonly server: ServerName
  readonly collection: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
  readonly object: KubeObject
}

const TASKS = 'migrationtasks.godwit.dev'
const MIGRATIONS = 'managedclustermigrations.global-hub.open-cluster-management.io'
const CLUSTERS = 'managedclusters.cluster.open-cluster-management.io'
const ACCOUNTS = 'managedserviceaccounts.authentication.open-cluster-management.io'
const REQUEST = 'global-hub.open-cluster-management.io/migration-request'
const OF_CLUSTER = /^(?:cluster|bystander)-\d{4}$/

export class Audit {
  readonly #world: Audited
  readonly #violations = new Map<string, string>()
  readonly #newest = new Map<PartyName, number>()
  #accounts = 0
  #wasReopened = false

  constructor(world: Audited) {
    this.#world = world
  }

  get violations(): readonly string[] {
    return [...this.#violations.values()]
  }

  /** A process of a party has begun: those before it must not act upon what they knew. */
  started(party: PartyName, process: number): void {
    this.#newest.set(party, process)
  }

  note(server: ServerName, { user, collection, before, after }: ChangeNote): void {
    const party = PARTIES.find(name => userOf(name) === user.name)
    const object = (after ?? before) as KubeObject | undefined
    if (collection === MIGRATIONS && (object?.metadata.annotations?.[REQUEST] ?? '') !== '') this.#wasReopened = true
    if (!party || !object) return
    const process = Number(user.extra?.['process']?.[0])
    const write = {
      party,
      process,
      server,
      collection,
      object,
      before: before as KubeObject | undefined,
      after: after as KubeObject | undefined,
    }
    if (collection === TASKS) this.#judgeTask(write)
    else if (collection === MIGRATIONS) this.#judgeMigration(write)
    else if (collection === ACCOUNTS) this.#judgeAccount(write)
    else if (server !== 'global') this.#judgeHub(write)
  }

  #blame(id: string, { party, process, collection, object: { metadata } }: Write, what: string): void {
    const key = `${id} ${party} ${collection} ${what}`
    const name = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
    if (!this.#violations.has(key))
      this.#violations.set(key, `${id}: process ${process} of ${party} wrote ${collection} ${name}: ${what}`)
  }

  #judgeTask(write: Write): void {
    const [before, after] = [write.before as MigrationTask | undefined, write.after as MigrationTask | undefined]
    if (!after) return
    const strangers = Object.keys(after.spec.items ?? {}).filter(name => !this.#world.names.includes(name))
    if (strangers.length > 0) this.#blame('INV-9', write, `${strangers} were never planned`)
    if (!before) return
    const epoch = write.party === 'controller' ? before.spec.epoch : 0
    const isSpecNew = JSON.stringify(before.spec) !== JSON.stringify(after.spec)
    if (isSpecNew && write.process < epoch) this.#blame('INV-6', write, `it was replaced by epoch ${epoch}`)
    if (Object.keys(before.spec.items ?? {}).join() !== Object.keys(after.spec.items ?? {}).join())
      this.#blame('INV-9', write, 'the clusters of a task never change')
    for (const [name, { bundle, digest }] of Object.entries(before.spec.items ?? {})) {
      const now = after.spec.items?.[name]
      if (bundle && (now?.bundle !== bundle || now.digest !== digest))
        this.#blame('INV-5', write, `${name} was to be deployed from one bundle, and now from another one`)
    }
  }

  #judgeMigration(write: Write): void {
    const before = (write.before as ManagedClusterMigration | undefined)?.status
    const after = (write.after as ManagedClusterMigration | undefined)?.status
    if (!before || !after) return
    const isNew = JSON.stringify(before) !== JSON.stringify(after)
    if (isNew && write.process < (before.epoch ?? 0)) this.#blame('INV-6', write, `it was replaced by ${before.epoch}`)
    if (isNew && isTerminal(before.phase) && !this.#wasReopened)
      this.#blame('INV-4', write, `it was ${before.phase}, and its status changed all the same`)
    if (after.shared?.stage === 'Moving' && !after.shared.failure) this.#judgeCounts(write, after)
  }

  /** The counts are those of the record, which is written before them. */
  #judgeCounts(write: Write, { clusters }: NonNullable<ManagedClusterMigration['status']>): void {
    const wishes = this.#tasks('Source').flatMap(({ spec }) => Object.values(spec.items ?? {}))
    const completed = wishes.filter(({ outcome }) => outcome === 'Completed').length
    const failed = wishes.filter(({ outcome }) => outcome !== undefined).length - completed
    if (clusters?.completed !== completed || clusters.failed !== failed)
      this.#blame(
        'INV-12',
        write,
        `${completed} clusters are through and ${failed} are not, but the status says otherwise`,
      )
  }

  /** A second ManagedServiceAccount would have another token than the one that the clusters were given. */
  #judgeAccount(write: Write): void {
    if (write.before || !write.after) return
    this.#accounts += 1
    if (this.#accounts > 1) this.#blame('INV-5', write, 'the credential of the migration is made twice')
  }

  #judgeHub(write: Write): void {
    const { metadata } = write.object
    const cluster = [metadata.namespace, metadata.name].find(name => OF_CLUSTER.test(name ?? ''))
    if (cluster === undefined) return
    if (!this.#world.names.includes(cluster)) this.#blame('INV-9', write, 'the cluster was never to be moved')
    const isGoing = !write.after || isEnding(write.before, write.after)
    if (write.party === 'source') this.#judgeSource(write, cluster, isGoing)
    else this.#judgeTarget(write, cluster, isGoing)
    this.#judgeRecord(write, cluster)
  }

  #judgeSource(write: Write, cluster: string, isGoing: boolean): void {
    const source = this.#wish('Source', cluster)
    const target = this.#progress('Target', cluster)
    const isForward = source?.direction === 'Forward' && target?.direction === 'Forward'
    if (isDenial(write)) {
      // A denial that was under way when the clusters were wished back is taken back with the rest.
      const isDeployed = isBeyond(target, 'Deploying') || source?.direction === 'Undo'
      const isBegun = isBeyond(this.#progress('Source', cluster), 'Deploying')
      if (!isDeployed || !isBegun) this.#blame('INV-3', write, `${cluster} is denied before the target has it`)
    }
    if (!isGoing || write.collection === 'leases.coordination.k8s.io') return
    const isOwned = this.#clusters('hub2', cluster)?.spec?.hubAcceptsClient === true
    const isProven = isForward && source.stage === 'Cleaning' && isBeyond(target, 'Cleaning') && isOwned
    if (!isProven) this.#blame('INV-3', write, `it is deleted before ${cluster} is proven to be at home on the target`)
  }

  #judgeTarget(write: Write, cluster: string, isGoing: boolean): void {
    const wish = this.#wish('Target', cluster)
    if ((isGoing || isDenial(write)) && wish?.direction !== 'Undo')
      this.#blame('INV-3', write, `${cluster} is taken from the target although nobody wishes it back`)
    const isConnected = this.#world.hubOf(cluster) === 'hub2'
    const isAccepted = (write.before as ManagedCluster | undefined)?.spec?.hubAcceptsClient === true
    if (isGoing && write.collection === CLUSTERS && isConnected && isAccepted)
      this.#blame('INV-3', write, `${cluster} is deleted while its klusterlet is connected, which uninstalls it`)
  }

  /** Law 1: the record says what is being done before it is done. Who was replaced may be behind the record. */
  #judgeRecord(write: Write, cluster: string): void {
    if (write.process !== this.#newest.get(write.party)) return
    const progress = this.#progress(write.party === 'source' ? 'Source' : 'Target', cluster)
    if (progress?.state !== 'Acting')
      this.#blame('INV-3', write, `the record says of ${cluster}: ${progress?.stage} ${progress?.state}, no effect`)
  }

  #tasks(role: 'Source' | 'Target'): MigrationTask[] {
    const tasks = this.#world.peek<KubeObject>('global', TASKS) as unknown as readonly MigrationTask[]
    return tasks.filter(({ spec }) => spec.role === role && spec.scope === 'Items')
  }

  #wish = (role: 'Source' | 'Target', cluster: string) =>
    this.#tasks(role).find(({ spec }) => spec.items?.[cluster])?.spec.items?.[cluster]
  #progress = (role: 'Source' | 'Target', cluster: string) =>
    this.#tasks(role).find(({ spec }) => spec.items?.[cluster])?.status?.items?.[cluster]
  #clusters = (hub: ServerName, cluster: string) =>
    this.#world.peek<ManagedCluster>(hub, CLUSTERS).find(({ metadata }) => metadata.name === cluster)
}

type Progress = NonNullable<NonNullable<MigrationTask['status']>['items']>[string]

/** The side has come through the stage. */
function isBeyond(progress: Progress | undefined, stage: 'Deploying' | 'Cleaning'): boolean {
  if (progress?.direction !== 'Forward') return false
  const distance = stageIndex(progress.stage) - stageIndex(stage)
  return distance > 0 || (distance === 0 && progress.state === 'Done')
}

const isEnding = (before: KubeObject | undefined, after: KubeObject) =>
  after.metadata.deletionTimestamp !== undefined && before?.metadata.deletionTimestamp === undefined

const accepts = (object: KubeObject | undefined) => (object as ManagedCluster | undefined)?.spec?.hubAcceptsClient
const isDenial = ({ collection, before, after }: Write) =>
  collection === CLUSTERS && accepts(before) === true && after !== undefined && accepts(after) === false
