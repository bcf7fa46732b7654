import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KubeServer } from '@godwit/kube-server'
import { VirtualClock } from '@godwit/ports'
import fc from 'fast-check'
import { Candidate, type LinkState, TIMING } from '../test/candidate.ts'
import { drive, elapse, elapseUntil } from '../test/virtual-time.ts'
import { KubeClient } from './client.ts'
import { resources } from './resource.ts'

type Step =
  | { readonly do: 'link'; readonly who: number; readonly state: LinkState }
  | { readonly do: 'stall' | 'resume' | 'restart'; readonly who: number }
  | { readonly do: 'set'; readonly who: number; readonly offsetMs: number }
  | { readonly do: 'elapse'; readonly ms: number }

const who = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('link' as const),
    who,
    state: fc.constantFrom<LinkState>('up', 'up', 'down', 'lossy', 'dead'),
  }),
  fc.record({ do: fc.constantFrom('stall' as const, 'resume' as const, 'restart' as const), who }),
  fc.record({ do: fc.constant('set' as const), who, offsetMs: fc.constantFrom(0, 3_600_000, -3_600_000) }),
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('elapse' as const), ms: fc.constantFrom(100, 1_900, 6_000, 9_500, 20_000) }),
  },
)

/** The leader's renewal was sent while its link was dead, and hangs until after its deadline. */
const RENEWAL_HANGS_PAST_THE_CURE: Step[] = [
  { do: 'elapse', ms: 20_200 },
  { do: 'link', who: 1, state: 'dead' },
  { do: 'elapse', ms: 6000 },
]

/** Looks at least this often: no overlap is longer than a step between two requests of the candidates. */
const LOOK_MS = 500

class World {
  readonly time = new VirtualClock()
  readonly #candidates: Candidate[]
  readonly #epochs: number[] = []

  constructor(server: KubeServer) {
    this.#candidates = ['a', 'b', 'c'].map(name => new Candidate(name, server.transport(), this.time))
    for (const each of this.#candidates) this.#start(each)
  }

  async perform(step: Step): Promise<void> {
    if (step.do === 'elapse') return await this.#elapse(step.ms)
    const candidate = this.#candidates[step.who] as Candidate
    if (step.do === 'link') candidate.link.state = step.state
    else if (step.do === 'set') candidate.clock.offsetMs = step.offsetMs
    else if (step.do === 'stall') candidate.clock.stall()
    else if (step.do === 'resume') candidate.clock.resume()
    else await this.#restart(candidate)
    this.#check()
  }

  /** Everything works again: somebody leads and goes on leading, once the requests that hung while a link was dead are over. */
  async heal(): Promise<void> {
    for (const { clock, link } of this.#candidates) {
      clock.resume()
      link.state = 'up'
    }
    await this.#elapse(TIMING.renewDeadlineMs)
    await elapseUntil(this.time, () => this.#leading().length === 1, 120_000)
    const leader = this.#leading()
    await this.#elapse(60_000)
    assert.deepEqual(this.#leading(), leader)
    await drive(this.time, Promise.all(this.#candidates.map(each => each.stop())))
    for (const { identity, clock } of this.#candidates) assert.equal(clock.timers, 0, `${identity} left timers`)
    assert.deepEqual(
      this.#epochs,
      [...new Set(this.#epochs)].sort((x, y) => x - y),
      'epochs grow with each term',
    )
  }

  #start(candidate: Candidate): void {
    candidate.start(async term => {
      this.#epochs.push(term.epoch)
      this.#check()
      while (!term.signal.aborted)
        await new Promise<void>(resolve => {
          const cancel = candidate.clock.after(1000, resolve)
          term.signal.addEventListener('abort', () => {
            cancel()
            resolve()
          })
        })
    })
  }

  async #restart(candidate: Candidate): Promise<void> {
    candidate.clock.resume()
    await drive(this.time, candidate.stop())
    this.#start(candidate)
  }

  async #elapse(ms: number): Promise<void> {
    for (let restMs = ms; restMs > 0; restMs -= LOOK_MS) {
      await elapse(this.time, Math.min(restMs, LOOK_MS))
      this.#check()
    }
  }

  #leading = () => this.#candidates.filter(each => each.isLeading).map(each => each.identity)

  #check(): void {
    assert.ok(this.#leading().length <= 1, `at the same time: ${this.#leading()}`)
  }
}

test('whatever happens to links, clocks and processes, never two lead, epochs grow, and somebody leads in the end', async () => {
  const time = new VirtualClock()
  const server = await KubeServer.start({ listen: false, clock: time })
  const admin = new KubeClient({ transport: server.transport() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: 'max' }), async steps => {
      await admin.delete(resources.leases, { namespace: 'default', name: 'election' })
      const world = new World(server)
      for (const each of steps) await world.perform(each)
      await world.heal()
    }),
    { numRuns: 50, examples: [[RENEWAL_HANGS_PAST_THE_CURE]] },
  )
  await server.stop()
})
