/** What a server that is killed again and again has promised so far, and whether it kept its word. */
import assert from 'node:assert/strict'
import { sharedCount } from './crash-load.ts'

export interface FoundState {
  readonly name: string
  readonly value: string
  readonly version: number
}

/** What is found when the server is opened again. */
export interface Found {
  readonly version: number
  readonly states: readonly FoundState[]
}

interface Attempt {
  readonly kind: string
  readonly name: string
  readonly value: string
}

export class CrashLedger {
  readonly #known = new Map<string, FoundState>()
  readonly #usedVersions = new Set<number>()
  readonly #inFlight = new Map<string, Attempt>()
  /** The newest version that was visible when the round began: everything new lies above. */
  #floor = 0
  #increments = { tried: 0, done: 0 }
  #acknowledged = 0
  #unanswered = 0

  /** Answers of all rounds, and writes that were cut off: what the test has really tested. */
  get totals(): { readonly acknowledged: number; readonly unanswered: number } {
    return { acknowledged: this.#acknowledged, unanswered: this.#unanswered }
  }

  /** One whole line of `runLoad`. */
  read(line: string): void {
    const [word, writer = '', ...rest] = line.split(' ')
    if (word === 'try') {
      const [kind = '', name = '', value = ''] = rest
      if (kind === 'increment') this.#increments.tried++
      this.#inFlight.set(writer, { kind, name, value })
    } else if (word === 'done') this.#acknowledge(writer, Number(rest[0]))
    else throw new Error(`not a line of the load: ${line}`)
  }

  /** Compares with what is found after the crash, and starts the next round from there. */
  check(found: Found): void {
    const newest = Math.max(0, ...this.#usedVersions)
    assert.ok(found.version >= newest, `the store is back at ${found.version}, ${newest} was acknowledged`)
    const states = new Map(found.states.map(state => [state.name, state]))
    this.#checkCount(states)
    const names = new Set([...this.#known.keys(), ...states.keys(), ...this.#attempted()])
    names.delete(sharedCount)
    for (const name of names) this.#checkState(name, states.get(name))
    this.#unanswered += this.#inFlight.size
    this.#inFlight.clear()
    this.#increments = { tried: 0, done: 0 }
    this.#floor = found.version
    this.#known.clear()
    for (const state of found.states) {
      this.#known.set(state.name, state)
      this.#usedVersions.add(state.version)
    }
  }

  #acknowledge(writer: string, version: number): void {
    const attempt = this.#inFlight.get(writer)
    if (!attempt) throw new Error(`writer ${writer} got an answer without asking`)
    assert.ok(version > this.#floor, `${version} was given out although ${this.#floor} had been seen`)
    assert.ok(!this.#usedVersions.has(version), `${version} was given out twice`)
    this.#usedVersions.add(version)
    this.#inFlight.delete(writer)
    this.#acknowledged++
    const { kind, name, value } = attempt
    if (kind === 'increment') this.#increments.done++
    else if (kind === 'remove') this.#known.delete(name)
    else this.#known.set(name, { name, value, version })
  }

  #attempted(): string[] {
    return [...this.#inFlight.values()].map(({ name }) => name)
  }

  /** A state must be the acknowledged one, or what the one unanswered write to it would have made. */
  #checkState(name: string, state: FoundState | undefined): void {
    const known = this.#known.get(name)
    if (known?.version === state?.version && known?.value === state?.value) return
    const attempt = [...this.#inFlight.values()].find(unanswered => unanswered.name === name)
    const text = ({ version, value }: FoundState) => `${value.slice(0, 40)}@${version}`
    const problem = `${name}: acknowledged ${known ? text(known) : 'nothing'}, found ${state ? text(state) : 'nothing'}`
    if (!state) {
      assert.equal(attempt?.kind, 'remove', problem)
      return
    }
    assert.equal(attempt?.kind, 'put', problem)
    assert.equal(state.value, attempt?.value, problem)
    assert.ok(state.version > this.#floor && !this.#usedVersions.has(state.version), problem)
  }

  #checkCount(states: ReadonlyMap<string, FoundState>): void {
    const before = Number(this.#known.get(sharedCount)?.value ?? 0)
    const now = Number(states.get(sharedCount)?.value ?? 0)
    const { tried, done } = this.#increments
    assert.ok(now >= before + done, `${done} increments of ${before} were acknowledged, the count is ${now}`)
    assert.ok(now <= before + tried, `${tried} increments of ${before} were tried, the count is ${now}`)
  }
}
