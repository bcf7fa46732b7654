/** Two sites and one subcloud, played with the rules alone: no clock, no store, no network. */
import { type Cursor, type Decision, decide } from '@godwit/core'
import { nextSyncState } from '../src/association/status.ts'
import { auditGroup, type GroupCopy } from '../src/audit/group.ts'
import type { AuditEffect, MemberView, Remote } from '../src/audit/member.ts'
import type { MigrationState, SyncState } from '../src/model/states.ts'
import { nextVersion } from '../src/model/values-version.ts'
import { type BatchStage, batchTable, nextOwnerEpoch } from '../src/rehome/batch-table.ts'
import type { RehomeFacts } from '../src/rehome/facts.ts'
import { type RehomeEffect, type RehomeStage, rehomeTable } from '../src/rehome/table.ts'
import { type EditVerdict, mayEdit } from '../src/subcloud/edit-rules.ts'

export type SiteId = 'a' | 'b'
export const RIGHT_ADDRESS = '10.0.0.1'
export const WRONG_ADDRESS = '10.9.9.9'

export interface Site {
  readonly id: SiteId
  isUp: boolean
  leaderId: string
  migrationStatus: MigrationState | undefined
  sync: SyncState
  member: MemberView
  address: string
}

export class TwoSites {
  readonly a: Site
  readonly b: Site
  /** The one whose credentials the subcloud accepts. */
  home: SiteId = 'a'

  /** After the common set-up: the group is in sync on both sites and led by `a`. */
  constructor(address: string) {
    const site = (id: SiteId, member: Pick<MemberView, 'deployStatus' | 'managementState'>): Site => ({
      id,
      isUp: true,
      leaderId: 'a',
      migrationStatus: undefined,
      sync: 'in-sync',
      member: { ...member, ownerEpoch: 1, values: { a: 1 } },
      address,
    })
    this.a = site('a', { deployStatus: 'complete', managementState: 'managed' })
    this.b = site('b', { deployStatus: 'secondary', managementState: 'unmanaged' })
  }

  other(site: Site): Site {
    return site === this.a ? this.b : this.a
  }

  edit(site: Site, keys: readonly string[], address = RIGHT_ADDRESS): EditVerdict {
    const peer = this.other(site)
    const verdict = mayEdit({
      caller: 'operator',
      ...site.member,
      availability: this.home === site.id ? 'online' : 'offline',
      hasRehomeData: true,
      group: {
        name: 'g',
        priority: site.id === 'a' ? 0 : 1,
        isLedHere: site.leaderId === site.id,
        peers: [peer.isUp ? 'available' : 'unavailable'],
      },
      groupChange: { kind: 'keep' },
      keys,
    })
    if (verdict.kind === 'refused') return verdict
    site.member = { ...site.member, values: nextVersion(site.member.values, site.id) }
    site.address = address
    site.sync = nextSyncState(site.sync, 'edited')
    if (verdict.marks === 'on both sites' && peer.isUp) peer.sync = nextSyncState(peer.sync, 'edited')
    return verdict
  }

  /** @param during called once, before the playbook runs: what happens in the middle */
  migrate(site: Site, during: () => void = () => undefined): void {
    this.#batch(site, 'Opening')
    this.#batch(site, 'Moving')
    this.#rehome(site, during)
    this.#batch(site, 'Leading')
    this.#batch(site, 'Reporting')
    if (this.other(site).isUp) this.audit(this.other(site))
  }

  audit(site: Site): void {
    const peer = this.other(site)
    const remote: Remote = { kind: 'member', view: peer.member }
    const result = auditGroup(copyOf(site), copyOf(peer), [{ name: 's1', local: site.member, remote }])
    for (const { effects } of result.members) for (const effect of effects) this.#apply(site, effect)
    if (result.follow) site.leaderId = result.follow
    if (result.isReconciled) for (const each of [site, peer]) each.sync = nextSyncState(each.sync, 'reconciled')
    if (result.acknowledges) peer.migrationStatus = undefined
  }

  #apply(site: Site, effect: AuditEffect): void {
    const peer = this.other(site)
    if (effect.kind === 'stand-down')
      site.member = { ...site.member, deployStatus: effect.to, managementState: 'unmanaged' }
    if (effect.kind === 'adopt-epoch') site.member = { ...site.member, ownerEpoch: effect.ownerEpoch }
    if (effect.kind === 'take-values') {
      site.member = { ...site.member, values: peer.member.values }
      site.address = peer.address
    }
  }

  #batch(site: Site, stage: BatchStage): void {
    const cursor = { stage, direction: 'Forward', entered: true } as const
    const peer = this.other(site).isUp ? 'available' : 'unavailable'
    const facts = { ...copyOf(site), unfinished: 0, peer, isReported: false } as const
    for (const effect of effectsOf(decide(batchTable, cursor, facts, 0))) {
      if (effect.kind === 'open') site.migrationStatus = 'migrating'
      if (effect.kind === 'lead') Object.assign(site, { leaderId: site.id, migrationStatus: 'complete' })
    }
  }

  #rehome(site: Site, during: () => void): void {
    const known = [site.member.ownerEpoch, ...(this.other(site).isUp ? [this.other(site).member.ownerEpoch] : [])]
    const attempt: Attempt = {
      site,
      wantedEpoch: nextOwnerEpoch({ known, priority: copyOf(site).priority, isBlind: known.length === 1 }),
      run: { kind: 'none' },
      during,
    }
    let cursor: Cursor<RehomeStage> = { stage: 'Claiming', direction: 'Forward', entered: false }
    for (let turn = 0; turn < 50; turn++) {
      const decision: Decision<RehomeEffect, RehomeStage> = decide(rehomeTable, cursor, this.#facts(attempt), 0)
      for (const effect of effectsOf(decision)) this.#perform(attempt, effect)
      const hasEnded = decision.kind === 'finish' || (cursor.direction === 'Undo' && decision.kind === 'advance')
      if (hasEnded) return
      cursor = moved(cursor, decision)
    }
    throw new Error(`the rehome on ${site.id} came to no end in ${cursor.stage}`)
  }

  #facts({ site, wantedEpoch, run }: Attempt): RehomeFacts {
    const peer = this.other(site)
    return {
      name: 's1',
      ...site.member,
      wantedEpoch,
      missingValues: [],
      peer: peer.isUp ? 'available' : 'unavailable',
      remote: peer.isUp ? { kind: 'member', view: peer.member } : { kind: 'unread' },
      isSlotFree: true,
      isPrepared: true,
      wantsManaged: true,
      run,
      answersHere: this.home === site.id,
      isFailureReported: true,
    }
  }

  #perform(attempt: Attempt, effect: RehomeEffect): void {
    const { site } = attempt
    if (effect.kind === 'claim')
      site.member = { ...site.member, ownerEpoch: effect.ownerEpoch, deployStatus: 'pre-rehome' }
    if (effect.kind === 'release') this.audit(this.other(site))
    if (effect.kind === 'run') this.#run(attempt)
    if (effect.kind === 'manage') site.member = { ...site.member, deployStatus: 'complete', managementState: 'managed' }
    if (effect.kind === 'mark') site.member = { ...site.member, deployStatus: effect.deployStatus }
  }

  #run(attempt: Attempt): void {
    attempt.site.member = { ...attempt.site.member, deployStatus: 'rehoming' }
    attempt.during()
    const isReached = attempt.site.address === RIGHT_ADDRESS
    if (isReached) this.home = attempt.site.id
    attempt.run = isReached
      ? { kind: 'succeeded' }
      : { kind: 'failed', task: undefined, text: 'fatal: [s1]: UNREACHABLE!' }
  }
}

interface Attempt {
  readonly site: Site
  readonly wantedEpoch: number
  run: RehomeFacts['run']
  readonly during: () => void
}

/** As the engine moves it: a stage is entered with its first effect, and its guards are not asked again. */
function moved(cursor: Cursor<RehomeStage>, decision: Decision<RehomeEffect, RehomeStage>): Cursor<RehomeStage> {
  if (decision.kind === 'advance') return { ...cursor, stage: decision.to, entered: false }
  if (decision.kind === 'compensate') return { ...cursor, direction: 'Undo' }
  return decision.kind === 'act' ? { ...cursor, entered: true } : cursor
}

function effectsOf<Effect>(decision: Decision<Effect>): readonly Effect[] {
  return decision.kind === 'act' ? decision.effects : []
}

const copyOf = ({ id, leaderId, migrationStatus }: Site): GroupCopy => ({
  siteId: id,
  priority: id === 'a' ? 0 : 1,
  leaderId,
  migrationStatus,
})
