/**
 * Who may change what of a subcloud that is, or shall be, in a peer group. Rows in order, the first that applies
 * decides; each answers 400 with its text. Pure: the facts are read in the transaction that writes the change.
 */
import type { AvailabilityState, DeployStatus, ManagementState, PeerState } from '../model/states.ts'

export interface GroupView {
  readonly name: string
  /** 0 on the primary site. */
  readonly priority: number
  readonly isLedHere: boolean
  /** Of the other sites that the group is associated with. */
  readonly peers: readonly PeerState[]
}

/** What the request says about the peer group. */
export type GroupChange =
  | { readonly kind: 'keep' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'join'; readonly group: GroupView }

export interface EditFacts {
  readonly caller: 'operator' | 'peer'
  readonly deployStatus: DeployStatus
  readonly managementState: ManagementState
  readonly availability: AvailabilityState
  readonly hasRehomeData: boolean
  /** The one the subcloud is in. */
  readonly group: GroupView | undefined
  readonly groupChange: GroupChange
  /** Keys of the request other than that of the group, spelled as the request spells them. */
  readonly keys: readonly string[]
}

/** Which associations no longer describe equal copies after the change. */
export type Marks = 'none' | 'on both sites' | 'on this site'

export type EditVerdict =
  | { readonly kind: 'allowed'; readonly marks: Marks }
  | { readonly kind: 'refused'; readonly rule: string; readonly text: string }

interface Rule {
  readonly rule: string
  /** The rule protects the data, so that it holds for the other site too. */
  readonly alsoForPeers?: boolean
  applies(facts: EditFacts): boolean
  readonly text: string
}

/** What may be corrected on whichever site is alive, and nothing else. */
export const CORRECTABLE: readonly string[] = ['bootstrap_values', 'bootstrap_address']

const corrects = ({ keys }: EditFacts) => keys.some(key => CORRECTABLE.includes(key))
const correctsOnly = ({ keys }: EditFacts) => keys.length > 0 && keys.every(key => CORRECTABLE.includes(key))
const givesAllData = ({ keys }: EditFacts) => CORRECTABLE.every(key => keys.includes(key))
const isPeerThere = (group: GroupView | undefined) => group?.peers.includes('available') === true
const isCopy = ({ group, groupChange }: EditFacts) => groupChange.kind === 'keep' && (group?.priority ?? 0) > 0
const joined = ({ groupChange }: EditFacts) => (groupChange.kind === 'join' ? groupChange.group : undefined)
const wantsGroup = ({ groupChange }: EditFacts) => groupChange.kind === 'join' || groupChange.kind === 'unknown'

export const EDIT_RULES: readonly Rule[] = [
  {
    rule: 'leave-led-elsewhere',
    applies: ({ groupChange, group }) => groupChange.kind === 'leave' && group !== undefined && !group.isLedHere,
    text: 'Removing a subcloud from a peer group is allowed on the site that leads the group only.',
  },
  {
    rule: 'leave-while-primary-is-there',
    applies: ({ groupChange, group }) =>
      groupChange.kind === 'leave' && (group?.priority ?? 0) > 0 && isPeerThere(group),
    text: 'Removing a subcloud from a peer group on a non-primary site is allowed while the primary site is unavailable only.',
  },
  {
    rule: 'join-without-data',
    alsoForPeers: true,
    applies: facts => wantsGroup(facts) && !facts.hasRehomeData && !givesAllData(facts),
    text: 'Cannot join a peer group: the subcloud needs bootstrap values and a bootstrap address to be rehomed.',
  },
  {
    rule: 'move-from-copy',
    alsoForPeers: true,
    applies: facts => {
      const target = joined(facts)
      return target !== undefined && (facts.group?.priority ?? 0) > 0 && facts.group?.name !== target.name
    },
    text: 'Cannot move a subcloud from the non-primary copy of a peer group to another group.',
  },
  {
    rule: 'join-unknown',
    alsoForPeers: true,
    applies: ({ groupChange }) => groupChange.kind === 'unknown',
    text: 'The peer group does not exist.',
  },
  {
    rule: 'join-copy',
    applies: facts => (joined(facts)?.priority ?? 0) > 0,
    text: 'A subcloud can be added on the primary site of a peer group only.',
  },
  {
    rule: 'join-led-elsewhere',
    applies: facts => joined(facts)?.isLedHere === false,
    text: 'A subcloud can be added on the site that leads the peer group only.',
  },
  {
    rule: 'join-not-healthy',
    applies: facts =>
      joined(facts) !== undefined &&
      !(facts.deployStatus === 'complete' && facts.managementState === 'managed' && facts.availability === 'online'),
    text: 'Only a subcloud that is complete, managed and online can be added to a peer group.',
  },
  {
    rule: 'copy-with-other-fields',
    applies: facts => isCopy(facts) && corrects(facts) && !correctsOnly(facts),
    text: 'Only the bootstrap values and the bootstrap address can be updated on a non-primary site.',
  },
  {
    rule: 'copy-while-primary-is-there',
    applies: facts => isCopy(facts) && correctsOnly(facts) && isPeerThere(facts.group),
    text: 'The bootstrap values and address can be updated on a non-primary site while the primary site is unavailable only.',
  },
  {
    rule: 'copy-not-failed',
    applies: facts => isCopy(facts) && correctsOnly(facts) && facts.deployStatus !== 'rehome-failed',
    text: 'The bootstrap values and address can be updated on a non-primary site only when the subcloud is rehome-failed.',
  },
  {
    rule: 'copy',
    applies: facts => isCopy(facts) && !corrects(facts),
    text: 'This update of a subcloud in a peer group is not allowed on a non-primary site.',
  },
  {
    rule: 'led-elsewhere',
    applies: ({ group, groupChange }) => groupChange.kind === 'keep' && group?.priority === 0 && !group.isLedHere,
    text: 'A subcloud in a peer group can be updated on the site that leads the group only.',
  },
  {
    rule: 'management-in-group',
    applies: ({ group, keys }) => group !== undefined && keys.includes('management-state'),
    text: 'The management state of a subcloud in a peer group cannot be changed.',
  },
]

export function mayEdit(facts: EditFacts): EditVerdict {
  const broken = EDIT_RULES.find(rule => (rule.alsoForPeers || facts.caller === 'operator') && rule.applies(facts))
  return broken ? { kind: 'refused', rule: broken.rule, text: broken.text } : { kind: 'allowed', marks: marksOf(facts) }
}

/** The other site's own writes bring the copies together, they do not set them apart. */
function marksOf(facts: EditFacts): Marks {
  if (facts.caller === 'peer') return 'none'
  const groups = [facts.group, joined(facts)].filter(group => group !== undefined)
  if (groups.some(({ priority, isLedHere }) => priority === 0 && isLedHere)) return 'on both sites'
  return isCopy(facts) ? 'on this site' : 'none'
}
