/** What must hold at every moment, whatever goes wrong; each violation is kept once. */
import type { Look, SiteLook } from './look.ts'

export class StepWatch {
  readonly #violations = new Set<string>()
  #before: Look | undefined
  readonly #epochs = new Map<string, number>()
  /** As many members of one batch may act at once. */
  width = Number.POSITIVE_INFINITY
  /** Operators have deleted these. */
  readonly givenUp = new Set<string>()

  get violations(): readonly string[] {
    return [...this.#violations]
  }

  see(look: Look): void {
    const before = this.#before
    this.#before = look
    this.#nothingIsLost(look)
    for (const [id, site] of [
      ['a', look.a],
      ['b', look.b],
    ] as const) {
      this.#slotsHold(id, site)
      this.#epochsGrow(id, site)
    }
    this.#ownersDiffer(look)
    if (!before) return
    this.#handedOver('b', [before.b, before.a], [look.b, look.a])
    this.#handedOver('a', [before.a, before.b], [look.a, look.b])
  }

  /** T1: no subcloud disappears from both sites. */
  #nothingIsLost({ a, b, homes }: Look): void {
    const known = new Set([...a.members, ...b.members].map(({ region }) => region))
    if (known.size + this.givenUp.size < homes.length) this.#violations.add('T1: a subcloud is on no site any more')
  }

  /** T2: no batch runs more at once than it may. */
  #slotsHold(id: string, { batches }: SiteLook): void {
    for (const { acting } of batches)
      if (acting > this.width) this.#violations.add(`T2: ${acting} members of a batch act at once on ${id}`)
  }

  /** T3: an epoch never goes back. */
  #epochsGrow(id: string, { members }: SiteLook): void {
    for (const { region, name, epoch } of members) {
      const key = `${id} ${region}`
      const before = this.#epochs.get(key) ?? 0
      if (epoch < before) this.#violations.add(`T3: the epoch of ${name} on ${id} went from ${before} to ${epoch}`)
      this.#epochs.set(key, Math.max(before, epoch))
    }
  }

  /** T4: when both sites have it managed, one of them has a higher epoch and will keep it. */
  #ownersDiffer({ a, b }: Look): void {
    for (const left of a.members) {
      const right = b.members.find(({ region }) => region === left.region)
      if (right && left.isManaged && right.isManaged && left.epoch === right.epoch)
        this.#violations.add(`T4: both sites manage ${left.name} with epoch ${left.epoch}`)
    }
  }

  /** T5: who sees the other site manages a subcloud only after that one has let go of it. */
  #handedOver(id: string, before: readonly [SiteLook, SiteLook], now: readonly [SiteLook, SiteLook]): void {
    const isSeen = before[0].peer === 'available' && now[0].peer === 'available'
    for (const member of isSeen ? now[0].members : []) {
      const wasManaged = ({ members }: SiteLook) => members.find(({ region }) => region === member.region)?.isManaged
      if (member.isManaged && !wasManaged(before[0]) && wasManaged(before[1]) && wasManaged(now[1]))
        this.#violations.add(`T5: ${member.name} is managed on ${id} before the other site has let go of it`)
    }
  }
}
