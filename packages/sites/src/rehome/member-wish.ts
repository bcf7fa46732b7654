/** What passes between the steps of a member, which write rows, and what happens outside between them. */
import type { Row } from '@godwit/store'
import type { Remote } from '../audit/member.ts'
import type { Presence } from '../availability/probe.ts'
import type { Subcloud } from '../subcloud/rows.ts'
import type { StoredRun } from './batch-rows.ts'
import type { RehomeFacts } from './facts.ts'
import type { MemberScene } from './scene.ts'
import type { RehomeEffect, RehomeStage } from './table.ts'

/** Of a member whose subcloud is there. */
export interface SubcloudScene {
  readonly scene: MemberScene
  readonly subcloud: Subcloud
}

export type Failure = { readonly code: string; readonly message: string }
export type EndedRun = Exclude<RehomeFacts['run'], { kind: 'none' | 'under-way' }>

/** What has happened outside since the last step. */
export interface News {
  readonly remote?: Remote
  /** It is of a time after our claim was written, and as good as a look in this stage. */
  readonly remoteFor?: RehomeStage
  /** It was looked at before the member began: enough to choose the epoch of its claim, and for nothing else. */
  readonly foreseen?: Remote
  /** Columns of the member that an effect has earned. */
  readonly columns?: (nowMs: number) => Row
  /** Of a run whose end is among the columns. */
  readonly endedRunId?: string
  /** The effect will never work. */
  readonly failure?: Failure
  /** The effect did not work this time. */
  readonly error?: string
  /** The other site was asked to stand down just now: not again at once. */
  readonly hasAsked?: boolean
  /** What the subcloud has answered to this site, since the playbook ended. */
  readonly presence?: Presence
}

/** What must happen outside of the transaction. */
export type Wish =
  | (SubcloudScene & { readonly kind: 'look at peer' | 'ask subcloud' })
  | (SubcloudScene & {
      readonly kind: 'perform'
      readonly effect: Extract<RehomeEffect, { kind: 'release' | 'prepare' | 'report-failure' }>
    })
  | (SubcloudScene & { readonly kind: 'join'; readonly run: Extract<StoredRun, { kind: 'under-way' }> })
  | {
      readonly kind: 'discard'
      readonly runId: string
      readonly memberId: number
      /** What was decided, and is written when nothing of the run is left. */
      readonly failure?: Failure
    }
  /** undefined: when somebody wakes it. */
  | { readonly kind: 'rest'; readonly afterMs: number | undefined; readonly queues?: SubcloudScene }
