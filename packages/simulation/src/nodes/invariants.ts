/**
 * What must hold at every moment of a cluster of VMs, looked at from outside: guests, disks, registry and the requests of
 * the operator. Reports each cause once. Reads no clock, sends nothing.
 */
import type { TransportRequest } from '@godwit/kube'
import type { RegistryContent, TagChange } from '../registry/content.ts'
import { counterOfSnapshot } from '../registry/snapshot-store.ts'
import type { VmBook } from './ledger.ts'
import { HIBERNATE_TAG } from './names.ts'
import type { RunningGuest, VmAgents } from './vm-agents.ts'

export interface InvariantOptions {
  readonly agents: Pick<VmAgents, 'guestsOf' | 'seatsOf' | 'takeTouched' | 'ledger'>
  readonly content: RegistryContent
  /** What stands in front of VM names in the registry. */
  readonly prefix: string
  /** Whether the user asked for the end of this VM. */
  readonly isGivenUp: (vmName: string) => boolean
  /** Names the moment in reports. */
  readonly moment: () => string
}

/** A VM that somebody still has a use for, or a debt about. */
export type TagOwners = ReadonlySet<string>

export class InvariantWatch {
  readonly #options: InvariantOptions
  readonly #violations = new Map<string, string>()
  readonly #counters = new Map<string, number>()
  readonly #unsubscribe: () => void
  /** Guests that were ready once: also while they are being saved they hold what is newest. */
  readonly #served = new Set<string>()
  readonly #touchedTags = new Set<string>()
  #seenDamages = 0

  constructor(options: InvariantOptions) {
    this.#options = options
    this.#unsubscribe = options.content.onTagChange(change => this.#seeTag(change))
  }

  get violations(): readonly string[] {
    return [...this.#violations.values()]
  }

  stop(): void {
    this.#unsubscribe()
  }

  /** I1, I2, I3: call it after every step. Looks at what something happened to. */
  look(): void {
    const { agents } = this.#options
    for (const vmName of new Set([...agents.takeTouched(), ...this.#touchedTags])) {
      const guests = agents.guestsOf(vmName)
      if (guests.length > 1) this.report(vmName, 'I1', `it runs on ${guests.map(({ node }) => node).join(' and on ')}`)
      for (const { id, isReady } of guests) if (isReady) this.#served.add(id)
      if (guests.length === 0) this.#lookForSaved(agents.ledger.book(vmName))
    }
    this.#touchedTags.clear()
    const { damages } = agents.ledger
    for (; this.#seenDamages < damages.length; this.#seenDamages++) {
      const damage = damages[this.#seenDamages]
      if (damage && !this.#options.isGivenUp(damage.vmName)) this.report(damage.vmName, damage.invariant, damage.what)
    }
  }

  /** I5: told of each request of the operator to the API before it is sent. */
  noteRequest({ method, path, body }: TransportRequest): void {
    const pod = /\/namespaces\/[^/]+\/pods\/([^/?]+)(?:\?|$)/.exec(path)?.[1]
    if (method !== 'DELETE' || pod === undefined) return
    const options = body === undefined ? {} : (JSON.parse(String(body)) as { preconditions?: { uid?: string } | null })
    if (!options.preconditions?.uid) this.report(pod, 'I5', 'its pod is deleted without saying which one')
  }

  /** I7: when everything is quiet. */
  lookForStrays(owners: TagOwners): void {
    for (const { repository, tag } of this.#options.content.allTags()) {
      const vmName = this.#vmNameOf(repository)
      if (tag !== HIBERNATE_TAG || vmName === undefined || owners.has(vmName)) continue
      this.report(vmName, 'I7', 'a saved state is left that nobody has on record')
    }
  }

  /** What counts is not what the books say was saved, but what could still be had. */
  #lookForSaved({ vmName, saved, newest }: VmBook): void {
    if (!saved || saved.counter < newest || this.#options.isGivenUp(vmName)) return
    const inRegistry = this.#counterOf(vmName)
    if (inRegistry !== undefined && inRegistry >= saved.counter) return
    const kept = this.#options.agents.seatsOf(vmName).map(({ disk }) => disk.snapshot?.counter ?? -1)
    if (kept.some(counter => counter >= saved.counter)) return
    this.report(vmName, 'I2', `its state at ${saved.counter} is in no guest, on no disk and not in the registry`)
  }

  /** I4: a tag goes only when a newer state is seen to run. */
  #seeTag({ type, repository, tag, digest }: TagChange): void {
    const vmName = this.#vmNameOf(repository)
    if (vmName !== undefined) this.#touchedTags.add(vmName)
    if (type === 'pushed') this.#counters.set(digest, counterOfSnapshot(this.#options.content, repository, digest) ?? 0)
    if (type !== 'deleted' || tag !== HIBERNATE_TAG || vmName === undefined || this.#options.isGivenUp(vmName)) return
    const { agents } = this.#options
    const counter = this.#counters.get(digest) ?? 0
    const isProven = agents
      .guestsOf(vmName)
      .some(guest => guest.counter >= counter && (this.#hasServed(guest) || this.#takesBack(vmName)))
    const { newest, isLost } = agents.ledger.book(vmName)
    if (!isProven && counter >= newest && !isLost)
      this.report(vmName, 'I4', `its saved state at ${counter} was deleted while nothing newer was proven`)
  }

  #hasServed = ({ id, isReady }: RunningGuest) => isReady || this.#served.has(id)

  /** The agent itself takes back what it pushed when it could not remove the VM. */
  #takesBack(vmName: string): boolean {
    return this.#options.agents.seatsOf(vmName).some(({ memory }) => memory?.operation?.at === 'unstore')
  }

  #counterOf(vmName: string): number | undefined {
    const { content, prefix } = this.#options
    return counterOfSnapshot(content, prefix === '' ? vmName : `${prefix}/${vmName}`, HIBERNATE_TAG)
  }

  #vmNameOf(repository: string): string | undefined {
    const { prefix } = this.#options
    if (prefix === '') return repository
    return repository.startsWith(`${prefix}/`) ? repository.slice(prefix.length + 1) : undefined
  }

  /** Of an invariant that somebody else looked at. */
  report(who: string, id: string, what: string): void {
    const key = `${who} ${id}`
    if (!this.#violations.has(key)) this.#violations.set(key, `${id} at ${this.#options.moment()}: ${who}: ${what}`)
  }
}
