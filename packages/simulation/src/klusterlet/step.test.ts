import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CURRENT_HUB_BOOTSTRAP, SINGLE_BOOTSTRAP } from '../foreign/names.ts'
import { ESSENTIAL_RESOURCES } from './applied-works.ts'
import { DEFAULT_KNOBS } from './knobs.ts'
import { labelOf } from './label.ts'
import { newKlusterlet } from './new-klusterlet.ts'
import type { Action, AgentConfig, ClusterView, Credential, KlusterletState, Label, Observation } from './state.ts'
import { nextWake, step } from './step.ts'

const SOURCE = 'https://hub1'
const TARGET = 'https://hub2'
const minutes = (count: number) => count * 60_000

const kubeconfig = (server: string, contextCluster: string, token: string) => ({
  server,
  caHash: `ca of ${server}`,
  contextCluster,
  token,
})
const credential = (server: string, contextCluster: string): Credential => ({
  server,
  caHash: `ca of ${server}`,
  contextCluster,
  user: 'agent',
  groups: [],
  issuedAtMs: 0,
  expiresAtMs: minutes(525_600),
})
const accepted: ClusterView = {
  hubAcceptsClient: true,
  isHubAccepted: true,
  isJoined: true,
  isAvailable: true,
  leaseDurationMs: 60_000,
}
const denied: ClusterView = { ...accepted, hubAcceptsClient: false }
const twoHubs: AgentConfig = {
  multipleHubs: true,
  bootstrapSecrets: ['bootstrap-hub2', CURRENT_HUB_BOOTSTRAP],
  hubConnectionTimeoutMs: minutes(10),
  evictionGraceMs: minutes(60),
}
const twoHubSecrets = {
  'bootstrap-hub2': kubeconfig(TARGET, 'hub2', 'migration'),
  [CURRENT_HUB_BOOTSTRAP]: kubeconfig(SOURCE, 'default-cluster', 'own'),
}
const targetOwn: AgentConfig = { ...twoHubs, multipleHubs: false, bootstrapSecrets: [SINGLE_BOOTSTRAP] }
const sourceCrds = { server: SOURCE, work: 'c1-klusterlet-crds', owns: ESSENTIAL_RESOURCES }

/** Drives one klusterlet through observations on a clock of its own. */
class Walk {
  state: KlusterletState
  now = 0
  actions: readonly Action[] = []

  constructor(knobs: Partial<typeof DEFAULT_KNOBS> = {}) {
    this.state = newKlusterlet({
      cluster: 'c1',
      agentId: 'id',
      knobs: { ...DEFAULT_KNOBS, ...knobs },
      bootstrap: kubeconfig(SOURCE, 'default-cluster', 'own'),
      credential: credential(SOURCE, 'default-cluster'),
    })
    this.see({ type: 'tick' }).see({ type: 'cluster', server: SOURCE, cluster: accepted })
  }

  get label(): Label {
    return labelOf(this.state)
  }

  get run(): number {
    return this.state.process.run
  }

  see(observation: Observation): this {
    const next = step(this.state, observation, this.now)
    this.state = next.state
    this.actions = next.actions
    return this
  }

  /** Ticks at every moment the machine asks for, until the label changes or `limitMs` passed. */
  pass(limitMs: number): this {
    const end = this.now + limitMs
    const before = this.label
    for (let at = nextWake(this.state); at !== undefined && at <= end; at = nextWake(this.state)) {
      this.now = Math.max(this.now, at)
      this.see({ type: 'tick' })
      if (this.label !== before || this.actions.some(action => action.type === 'select')) return this
    }
    this.now = end
    return this
  }

  deliverTwoHubs(): this {
    return this.see({ type: 'delivered', config: twoHubs, secrets: twoHubSecrets })
  }

  select(secret: string | undefined): this {
    return this.see({ type: 'selected', run: this.run, secret })
  }

  issue(server: string, contextCluster: string): this {
    return this.see({ type: 'issued', run: this.run, credential: credential(server, contextCluster) })
  }

  cluster(server: string, cluster: ClusterView | undefined): this {
    return this.see({ type: 'cluster', server, cluster })
  }

  /** S1 → S2. */
  toS2(): this {
    this.deliverTwoHubs().pass(minutes(1)).pass(minutes(1)).select(CURRENT_HUB_BOOTSTRAP)
    return this.cluster(SOURCE, accepted)
  }

  /** S1 → T1. */
  toT1(): this {
    this.toS2().cluster(SOURCE, denied).pass(minutes(1)).select('bootstrap-hub2')
    return this.issue(TARGET, 'hub2').cluster(TARGET, accepted)
  }

  types(): readonly string[] {
    return this.actions.map(action => action.type)
  }
}

describe('klusterlet state machine', () => {
  test('a registered cluster starts in S1 without asking for a certificate', () => {
    const walk = new Walk()
    assert.equal(walk.label, 'S1')
    assert.equal(walk.state.process.at, 'connected')
  })

  test('S1 → S2: the two-hub configuration takes effect after the rollout and keeps the present hub', () => {
    const walk = new Walk().deliverTwoHubs()
    assert.equal(walk.label, 'S1')
    walk.pass(minutes(1))
    assert.equal(walk.label, 'RS')
    walk.pass(minutes(1))
    assert.deepEqual(walk.actions, [
      { type: 'select', run: walk.run, candidates: [CURRENT_HUB_BOOTSTRAP, 'bootstrap-hub2'] },
    ])
    walk.select(CURRENT_HUB_BOOTSTRAP)
    assert.equal(walk.label, 'S2')
    assert.deepEqual(walk.types(), ['syncHub'])
  })

  test('S1 → SX: refusal leaves an agent without several hubs where it is', () => {
    const walk = new Walk().cluster(SOURCE, denied)
    assert.equal(walk.label, 'SX')
    walk.cluster(SOURCE, { ...denied, isHubAccepted: false }).pass(minutes(30))
    assert.equal(walk.label, 'SX')
    assert.deepEqual(walk.types(), [], 'a refused agent does not renew its lease')
  })

  test('SX → S1: renewal resumes at once when the hub accepts again', () => {
    const walk = new Walk().cluster(SOURCE, { ...denied, isHubAccepted: false }).cluster(SOURCE, accepted)
    assert.equal(walk.label, 'S1')
    assert.deepEqual(walk.types(), ['renewLease'])
  })

  test('SX → RS: the configuration may still arrive late, and then the target is chosen', () => {
    const walk = new Walk().cluster(SOURCE, denied).deliverTwoHubs().pass(minutes(1)).pass(minutes(1))
    walk.select('bootstrap-hub2')
    assert.equal(walk.label, 'B1')
    assert.deepEqual(walk.actions, [{ type: 'request', run: walk.run, secret: 'bootstrap-hub2' }])
  })

  test('S2 → RS: refusal restarts an agent that knows several hubs', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied)
    assert.equal(walk.label, 'RS')
  })

  test('S2 → RS: so does a lease older than the timeout, outside the grace after a start', () => {
    const walk = new Walk({ graceAfterStartMs: 10_000 }).toS2()
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: walk.now - minutes(11) })
    assert.equal(walk.label, 'S2', 'the first seconds do not count')
    walk.now += 10_000
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: walk.now - minutes(11) })
    assert.equal(walk.label, 'RS')
  })

  test('S2: an unreadable lease counts from the first failure', () => {
    const walk = new Walk().toS2()
    walk.now += minutes(1)
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: undefined })
    walk.now += minutes(10)
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: undefined })
    assert.equal(walk.label, 'S2')
    walk.now += 1
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: undefined })
    assert.equal(walk.label, 'RS')
  })

  test('S2: a lease that could be read again forgets the failures before', () => {
    const walk = new Walk().toS2()
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: undefined })
    walk.now += minutes(9)
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: walk.now })
    walk.now += minutes(9)
    walk.see({ type: 'lease', run: walk.run, renewedAtMs: undefined })
    assert.equal(walk.label, 'S2')
  })

  test('S2: the lease is looked at once in every check period', () => {
    const walk = new Walk().toS2()
    const reads: number[] = []
    const startMs = walk.now
    for (let at = nextWake(walk.state); at !== undefined && at <= startMs + minutes(5); at = nextWake(walk.state)) {
      walk.now = at
      walk.see({ type: 'tick' })
      if (walk.types().includes('readLease')) reads.push(at - startMs)
    }
    assert.deepEqual(reads, [1, 2, 3, 4, 5].map(minutes))
  })

  test('RS → B1 → T1: a valid target is bootstrapped and connected', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied).pass(minutes(1)).select('bootstrap-hub2')
    assert.equal(walk.label, 'B1')
    walk.see({ type: 'requested', run: walk.run, csr: 'c1-abc' }).issue(TARGET, 'hub2')
    assert.equal(walk.label, 'T1')
  })

  test('RS → S2: when only the source is valid the old certificate is used again', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied).pass(minutes(1)).select(CURRENT_HUB_BOOTSTRAP)
    assert.equal(walk.label, 'S2')
  })

  test('RS → CL: without any valid hub the agent crashes, ever later, up to five minutes', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied)
    const delays: number[] = []
    for (let round = 0; round < 8; round++) {
      walk.pass(minutes(10))
      assert.deepEqual(walk.types(), ['select'])
      walk.select(undefined)
      assert.equal(walk.label, 'CL')
      delays.push((nextWake(walk.state) ?? 0) - walk.now)
    }
    assert.deepEqual(
      delays,
      [10, 20, 40, 80, 160, 300, 300, 300].map(seconds => seconds * 1000),
    )
  })

  test('CL → B1: the loop ends as soon as a hub is valid', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied).pass(minutes(1)).select(undefined).pass(minutes(1))
    walk.select('bootstrap-hub2').issue(TARGET, 'hub2')
    assert.equal(walk.label, 'T1')
  })

  test('B1: a certificate that is never issued keeps it waiting for good', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied).pass(minutes(1)).select('bootstrap-hub2')
    walk.see({ type: 'requested', run: walk.run, csr: 'c1-abc' }).pass(minutes(59))
    assert.equal(walk.label, 'B1')
  })

  test('B1: a revoked token makes it ask again, and a pod restart look for another hub', () => {
    const walk = new Walk().toS2().cluster(SOURCE, denied).pass(minutes(1)).select('bootstrap-hub2')
    walk.see({ type: 'failed', run: walk.run }).pass(DEFAULT_KNOBS.retryMs)
    assert.deepEqual(walk.types(), ['request'])
    walk.see({ type: 'podRestarted' }).pass(minutes(1))
    assert.deepEqual(walk.types(), ['select'])
  })

  test('T1 → RS: refusal by the target, a stale lease, and never a mere deletion of the ManagedCluster', () => {
    assert.equal(new Walk().toT1().cluster(TARGET, denied).label, 'RS')
    const deleted = new Walk().toT1().cluster(TARGET, undefined)
    assert.equal(deleted.label, 'T1')
    deleted.pass(minutes(9))
    deleted.see({ type: 'lease', run: deleted.run, renewedAtMs: undefined })
    deleted.now += minutes(10) + 1
    deleted.see({ type: 'lease', run: deleted.run, renewedAtMs: undefined })
    assert.equal(deleted.label, 'RS')
  })

  test('T1: re-acceptance by the source moves nothing', () => {
    const walk = new Walk().toT1().cluster(SOURCE, accepted)
    assert.equal(walk.label, 'T1')
  })

  test('T1 → B0 → S2: the target gone, it registers with the source again', () => {
    const walk = new Walk().toT1().cluster(TARGET, denied).pass(minutes(1)).select(CURRENT_HUB_BOOTSTRAP)
    assert.equal(walk.label, 'B0')
    assert.equal(walk.issue(SOURCE, 'default-cluster').label, 'S2')
  })

  test('T1 → B2 → T2: the own bootstrap of the target has another context, so it registers a second time', () => {
    const walk = new Walk().toT1()
    const own = { [SINGLE_BOOTSTRAP]: kubeconfig(TARGET, 'default-cluster', 'bootstrap-sa') }
    walk.see({ type: 'delivered', config: targetOwn, secrets: own }).pass(minutes(1))
    assert.equal(walk.label, 'RS')
    walk.pass(minutes(1))
    assert.equal(walk.label, 'B2')
    assert.equal(walk.issue(TARGET, 'default-cluster').label, 'T2')
  })

  test('a second migration starts from T2 as S2', () => {
    const walk = new Walk().toT1()
    const own = { [SINGLE_BOOTSTRAP]: kubeconfig(TARGET, 'default-cluster', 'bootstrap-sa') }
    walk.see({ type: 'delivered', config: targetOwn, secrets: own }).pass(minutes(1)).pass(minutes(1))
    walk.issue(TARGET, 'default-cluster')
    const back = {
      'bootstrap-hub1': kubeconfig(SOURCE, 'hub1', 'migration'),
      [CURRENT_HUB_BOOTSTRAP]: kubeconfig(TARGET, 'default-cluster', 'bootstrap-sa'),
    }
    const config = { ...twoHubs, bootstrapSecrets: ['bootstrap-hub1', CURRENT_HUB_BOOTSTRAP] }
    walk
      .see({ type: 'delivered', config, secrets: back })
      .pass(minutes(1))
      .pass(minutes(1))
      .select(CURRENT_HUB_BOOTSTRAP)
    assert.equal(walk.label, 'S2')
  })

  test('a pod restart of a settled agent changes nothing but the process', () => {
    const walk = new Walk().see({ type: 'podRestarted' })
    assert.equal(walk.label, 'RS')
    walk.pass(minutes(1))
    assert.equal(walk.label, 'S1')
  })

  test('an agent too old for several hubs ignores the configuration, and refusal with it', () => {
    const walk = new Walk({ multipleHubs: false }).deliverTwoHubs().pass(minutes(5)).cluster(SOURCE, denied)
    assert.equal(walk.label, 'SX')
  })

  test('a rollout waits for a bootstrap Secret that is missing', () => {
    const { 'bootstrap-hub2': late, ...early } = twoHubSecrets
    const walk = new Walk().see({ type: 'delivered', config: twoHubs, secrets: early }).pass(minutes(5))
    assert.equal(walk.label, 'S1')
    walk.see({ type: 'delivered', secrets: { 'bootstrap-hub2': late } }).pass(minutes(1))
    assert.equal(walk.label, 'RS')
  })

  test('fewer than two bootstraps with several hubs enabled crash the agent', () => {
    const config = { ...twoHubs, bootstrapSecrets: ['bootstrap-hub2'] }
    const walk = new Walk().see({ type: 'delivered', config, secrets: twoHubSecrets }).pass(minutes(1)).pass(minutes(1))
    assert.equal(walk.label, 'CL')
  })

  test('a changed single bootstrap restarts the agent, any other Secret does not', () => {
    const renewed = { [SINGLE_BOOTSTRAP]: kubeconfig(SOURCE, 'default-cluster', 'renewed') }
    assert.equal(new Walk().see({ type: 'delivered', secrets: renewed }).label, 'RS')
    const other = { 'bootstrap-hub2': kubeconfig(TARGET, 'hub2', 'renewed') }
    assert.equal(new Walk().toS2().see({ type: 'delivered', secrets: other }).label, 'S2')
  })

  test('a connected agent reports when the hub does not show it as available, and again after a failure', () => {
    const walk = new Walk().cluster(SOURCE, { ...accepted, isAvailable: false })
    assert.deepEqual(walk.types(), ['report'])
    const afresh = new Walk().toT1().cluster(TARGET, denied).pass(minutes(1)).select('bootstrap-hub2')
    afresh.cluster(TARGET, { ...accepted, isAvailable: false })
    assert.deepEqual(afresh.types(), ['renewLease', 'report'], 'a stale lease would take the report back')
    walk.see({ type: 'failed', run: walk.run }).pass(DEFAULT_KNOBS.retryMs)
    assert.ok(walk.types().includes('report'))
    walk.cluster(SOURCE, accepted)
    assert.deepEqual(walk.types(), [])
  })

  test('an expired certificate ends the process, and a rotation in time prevents that', () => {
    const walk = new Walk()
    const year = minutes(525_600)
    const asked: number[] = []
    for (let at = nextWake(walk.state); at !== undefined && asked.length === 0; at = nextWake(walk.state)) {
      walk.now = at
      if (walk.see({ type: 'tick' }).types().includes('rotate')) asked.push(at)
    }
    assert.ok(asked.every(at => at >= 0.75 * year && at <= 0.8 * year))
    walk.now = year
    assert.equal(walk.see({ type: 'tick' }).label, 'RS')
  })

  test('answers to a process that has ended are dropped', () => {
    const walk = new Walk().toS2()
    const stale = walk.run
    walk.cluster(SOURCE, denied)
    const before = walk.state
    walk
      .see({ type: 'lease', run: stale, renewedAtMs: undefined })
      .see({ type: 'selected', run: stale, secret: undefined })
    assert.deepEqual(walk.state, before)
  })

  test('sixty minutes after the switch the source loses its works, and with it a klusterlet nobody else owns', () => {
    const walk = new Walk().see({ type: 'applied', work: sourceCrds }).toT1()
    walk.pass(minutes(59))
    assert.equal(walk.label, 'T1')
    walk.pass(minutes(2))
    assert.equal(walk.label, 'removed')
  })

  test('works really applied by the target keep the klusterlet alive past that', () => {
    const walk = new Walk().see({ type: 'applied', work: sourceCrds }).toT1()
    walk.see({ type: 'applied', work: { ...sourceCrds, server: TARGET } })
    walk.pass(minutes(61))
    assert.equal(walk.label, 'T1')
    assert.deepEqual(
      walk.state.works.map(work => work.server),
      [TARGET],
    )
  })

  test('returning within the hour calls the eviction off', () => {
    const walk = new Walk().see({ type: 'applied', work: sourceCrds }).toT1()
    walk.cluster(TARGET, denied).pass(minutes(1)).select(CURRENT_HUB_BOOTSTRAP).issue(SOURCE, 'default-cluster')
    walk.cluster(SOURCE, accepted).pass(minutes(90))
    assert.equal(walk.label, 'S2')
  })

  test('a graceful detach takes the klusterlet with it', () => {
    const walk = new Walk().see({ type: 'applied', work: sourceCrds })
    walk.see({ type: 'workGone', server: SOURCE, work: sourceCrds.work, how: 'deleted' })
    assert.equal(walk.label, 'removed')
    assert.equal(nextWake(walk.state), undefined)
  })

  test('a work that is merely missing on the hub is evicted an hour later', () => {
    const walk = new Walk().see({ type: 'applied', work: sourceCrds })
    walk.see({ type: 'workGone', server: SOURCE, work: sourceCrds.work, how: 'missing' }).pass(minutes(59))
    assert.equal(walk.label, 'S1')
    walk.pass(minutes(2))
    assert.equal(walk.label, 'removed')
  })

  test('no sequence of observations makes it wake in a tight loop or lose its label', () => {
    const observation = fc.oneof(
      fc.constant<Observation>({ type: 'tick' }),
      fc.constant<Observation>({ type: 'podRestarted' }),
      fc.constant<Observation>({ type: 'delivered', config: twoHubs, secrets: twoHubSecrets }),
      fc.record({
        type: fc.constant<'cluster'>('cluster'),
        server: fc.constantFrom(SOURCE, TARGET),
        cluster: fc.constantFrom(accepted, denied, undefined),
      }),
      fc.record({
        type: fc.constant<'selected'>('selected'),
        run: fc.nat(6),
        secret: fc.constantFrom('bootstrap-hub2', CURRENT_HUB_BOOTSTRAP, undefined),
      }),
      fc.record({ type: fc.constant<'failed'>('failed'), run: fc.nat(6) }),
      fc.record({
        type: fc.constant<'issued'>('issued'),
        run: fc.nat(6),
        credential: fc.constantFrom(credential(SOURCE, 'default-cluster'), credential(TARGET, 'hub2')),
      }),
    )
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 40 }), observations => {
        const walk = new Walk()
        for (const each of observations) {
          walk.see(each)
          walk.now += 1_000
        }
        // Each tick may do one thing: evict, roll out, start, renew.
        for (let ticks = 0; ticks < 4; ticks++) walk.see({ type: 'tick' })
        const wake = nextWake(walk.state)
        assert.ok(wake === undefined || wake > walk.now, `woken again at ${wake}, now ${walk.now}`)
        assert.ok(labelOf(walk.state).length > 0)
      }),
      { numRuns: 300 },
    )
  })
})
