import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { KubeServer } from '@godwit/kube-server'
import { type Fields, type Logger, silentLogger, VirtualClock } from '@godwit/ports'
import { Candidate, TIMING } from '../test/candidate.ts'
import { drive, elapse, elapseUntil, settle } from '../test/virtual-time.ts'
import { KubeClient } from './client.ts'
import { LeaderElector } from './leader-elector.ts'
import type { Lease } from './leader-lease.ts'
import type { Term } from './leader-term.ts'
import { resources } from './resource.ts'

const ref = { namespace: 'default', name: 'election' }
const time = new VirtualClock()
let server: KubeServer
let admin: KubeClient

before(async () => {
  server = await KubeServer.start({ listen: false, clock: time })
  admin = new KubeClient({ transport: server.transport(), clock: time })
})

after(() => server.stop())

beforeEach(async () => {
  await admin.delete(resources.leases, ref)
})

const candidate = (identity: string, options = {}) => new Candidate(identity, server.transport(), time, options)
const read = async () => (await admin.get<Lease>(resources.leases, ref))?.spec
const leads = (who: Candidate) => () => who.isLeading

async function electedOf(...candidates: Candidate[]): Promise<Candidate> {
  await elapseUntil(time, () => candidates.some(each => each.isLeading))
  const leaders = candidates.filter(each => each.isLeading)
  assert.equal(leaders.length, 1)
  return leaders[0] as Candidate
}

test('one of several leads, and the lease says so in the form that Kubernetes demands', async () => {
  const all = ['a', 'b', 'c'].map(name => candidate(name))
  for (const each of all) each.start()
  const leader = await electedOf(...all)
  await elapse(time, 60_000)
  assert.deepEqual(
    all.filter(each => each.isLeading),
    [leader],
  )
  const spec = await read()
  assert.equal(spec?.holderIdentity, leader.identity)
  assert.equal(spec?.leaseDurationSeconds, 15)
  assert.equal(spec?.leaseTransitions, leader.terms[0]?.epoch)
  for (const each of [spec?.acquireTime, spec?.renewTime]) assert.match(String(each), /T\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.ok(String(spec?.renewTime) > String(spec?.acquireTime))
  await Promise.all(all.map(each => each.stop()))
})

test('a leader that stops hands over at once, and the epoch grows', async () => {
  let [leader, next] = [candidate('a'), candidate('b')]
  leader.start()
  await elapseUntil(time, leads(leader))
  for (let turn = 0; turn < 6; turn++) {
    next.start()
    await elapse(time, 5_000 + turn * 300)
    const stoppedAt = time.now()
    await drive(time, leader.stop())
    await elapseUntil(time, leads(next))
    assert.ok(time.now() - stoppedAt < 100, 'the watch wakes it, not the next look')
    assert.equal(next.terms.at(-1)?.epoch, (leader.terms.at(-1)?.epoch ?? 0) + 1)
    ;[leader, next] = [next, leader]
  }
  await drive(time, leader.stop())
  assert.deepEqual([(await read())?.holderIdentity, (await read())?.leaseDurationSeconds], ['', 1])
})

test('a candidate that may not watch leads after its next look', async () => {
  const off = server.faults.add({ verbs: ['watch'], resources: ['leases'], effect: { kind: 'status', code: 403 } })
  const [a, b] = [candidate('a'), candidate('b')]
  a.start()
  await elapseUntil(time, leads(a))
  b.start()
  await elapse(time, 5_000)
  await drive(time, a.stop())
  await elapse(time, TIMING.retryPeriodMs)
  assert.ok(b.isLeading)
  await drive(time, b.stop())
  off()
})

test('the epoch grows with each term, also of the same holder', async () => {
  const a = candidate('a')
  for (let turn = 0; turn < 3; turn++) {
    a.start()
    await elapseUntil(time, leads(a))
    await drive(time, a.stop())
  }
  const epochs = a.terms.map(term => term.epoch)
  assert.deepEqual(epochs, [epochs[0], (epochs[0] ?? 0) + 1, (epochs[0] ?? 0) + 2])
})

for (const state of ['down', 'dead'] as const)
  test(`a leader whose link is ${state} stops acting before anybody else may start`, async () => {
    const [a, b] = [candidate('a'), candidate('b')]
    a.start()
    await elapseUntil(time, leads(a))
    b.start()
    await elapse(time, 7_000)
    a.link.state = state
    const cutAt = time.now()
    await elapseUntil(time, () => !a.isLeading)
    assert.ok(!b.isLeading)
    assert.ok(time.now() - cutAt <= TIMING.renewDeadlineMs)
    await elapseUntil(time, leads(b))
    assert.ok(time.now() - cutAt >= TIMING.leaseDurationMs - TIMING.retryPeriodMs)
    assert.equal(b.terms[0]?.epoch, (a.terms[0]?.epoch ?? 0) + 1)
    a.link.state = 'up'
    await elapse(time, 30_000)
    assert.ok(!a.isLeading && b.isLeading)
    await drive(time, Promise.all([a.stop(), b.stop()]))
  })

test('a short break of the link costs nothing', async () => {
  const a = candidate('a')
  a.start()
  await elapseUntil(time, leads(a))
  for (let turn = 0; turn < 5; turn++) {
    a.link.state = 'down'
    await elapse(time, 7_000)
    a.link.state = 'up'
    await elapse(time, 5_000)
  }
  assert.ok(a.isLeading)
  assert.equal(a.terms.length, 1)
  await drive(time, a.stop())
})

test('renewals whose answers are lost do not end the term', async () => {
  const a = candidate('a')
  a.start()
  await elapseUntil(time, leads(a))
  for (let turn = 0; turn < 5; turn++) {
    a.link.state = 'lossy'
    await elapse(time, 5_000)
    a.link.state = 'up'
    await elapse(time, 5_000)
  }
  assert.ok(a.isLeading)
  assert.equal(a.terms.length, 1)
  await drive(time, a.stop())
  assert.equal((await read())?.holderIdentity, '')
})

test('a lease that was taken with a lost answer is recognised as our own', async () => {
  const a = candidate('a')
  const off = server.faults.add({
    verbs: ['create'],
    resources: ['leases'],
    count: 1,
    effect: { kind: 'cut', applied: true },
  })
  const startedAt = time.now()
  a.start()
  await elapseUntil(time, leads(a))
  assert.equal(a.terms[0]?.epoch, (await read())?.leaseTransitions)
  assert.ok(time.now() - startedAt <= TIMING.retryPeriodMs, 'it did not wait for itself')
  await drive(time, a.stop())
  off()
})

test('a predecessor of the same name is waited for, and its epoch passed', async () => {
  const first = candidate('a')
  first.start()
  await elapseUntil(time, leads(first))
  first.clock.stall()
  const second = candidate('a')
  const startedAt = time.now()
  second.start()
  await elapseUntil(time, leads(second))
  assert.ok(time.now() - startedAt >= TIMING.leaseDurationMs)
  assert.ok(!first.isLeading)
  assert.equal(second.terms[0]?.epoch, (first.terms[0]?.epoch ?? 0) + 1)
  first.clock.resume()
  await elapse(time, 1000)
  await drive(time, Promise.all([first.stop(), second.stop()]))
})

test('a lease deleted under its holder ends the term, and others wait for as long as it was promised', async () => {
  const [a, b] = [candidate('a'), candidate('b')]
  a.start()
  await elapseUntil(time, leads(a))
  b.start()
  await elapse(time, 5_000)
  a.link.state = 'dead'
  await admin.delete(resources.leases, ref)
  const deletedAt = time.now()
  await elapseUntil(time, leads(b))
  assert.ok(!a.isLeading)
  assert.ok(time.now() - deletedAt >= TIMING.renewDeadlineMs)
  assert.ok((b.terms[0]?.epoch ?? 0) > (a.terms[0]?.epoch ?? 0))
  a.link.state = 'up'
  await drive(time, Promise.all([a.stop(), b.stop()]))
})

test('a floor keeps epochs growing across a deleted lease', async () => {
  const a = candidate('a', { epochFloor: async () => 41 })
  a.start()
  await elapseUntil(time, leads(a))
  assert.equal(a.terms[0]?.epoch, 42)
  await drive(time, a.stop())
})

test('a leader whose lease was overwritten learns of it at its next renewal', async () => {
  const a = candidate('a')
  a.start()
  await elapseUntil(time, leads(a))
  const live = await admin.get<Lease>(resources.leases, ref)
  assert.ok(live)
  await admin.replace<Lease>(resources.leases, {
    ...live,
    spec: { ...live.spec, holderIdentity: 'usurper', leaseTransitions: 77 },
  })
  await elapse(time, TIMING.retryPeriodMs)
  assert.ok(!a.isLeading)
  await elapseUntil(time, leads(a))
  assert.equal(a.terms.at(-1)?.epoch, 78)
  await drive(time, a.stop())
})

test('a foreign write to the lease that leaves its holder alone does not end the term', async () => {
  const a = candidate('a')
  a.start()
  await elapseUntil(time, leads(a))
  await admin.patch(resources.leases, ref, { metadata: { labels: { seen: 'yes' } } })
  await elapse(time, 20_000)
  assert.equal(a.terms.length, 1)
  assert.ok(a.isLeading)
  assert.equal((await admin.get(resources.leases, ref))?.metadata.labels?.['seen'], 'yes')
  await drive(time, a.stop())
})

test('a clock that is set does not make a live leader look dead', async () => {
  const [a, b] = [candidate('a'), candidate('b')]
  b.clock.offsetMs = -86_400_000
  a.start()
  await elapseUntil(time, leads(a))
  b.start()
  for (const offsetMs of [3_600_000, -3_600_000, 86_400_000]) {
    await elapse(time, 5_000)
    b.clock.offsetMs = offsetMs
    await elapse(time, 5_000)
    assert.ok(a.isLeading && !b.isLeading)
  }
  await drive(time, Promise.all([a.stop(), b.stop()]))
})

test('a process that stood still for longer than its term may not act when it wakes', async () => {
  const [a, b] = [candidate('a'), candidate('b')]
  a.start()
  await elapseUntil(time, leads(a))
  b.start()
  await elapse(time, 5_000)
  a.clock.stall()
  await elapseUntil(time, leads(b))
  const term = a.terms[0] as Term
  assert.throws(() => term.signal.throwIfAborted(), /leadership ended/)
  assert.equal(term.signal.aborted, true, 'although none of its timers has fired')
  a.clock.resume()
  await settle()
  await elapse(time, 30_000)
  assert.deepEqual(a.diary, [`leads ${term.epoch}`, `ends ${term.epoch}`])
  assert.ok(b.isLeading)
  assert.equal((await read())?.leaseTransitions, b.terms[0]?.epoch, 'and the lease was left alone')
  await drive(time, Promise.all([a.stop(), b.stop()]))
})

test('a leader that fails or returns gives up, is heard of, and runs again', async () => {
  const errors: Fields[] = []
  const logger: Logger = { ...silentLogger, error: fields => errors.push(fields) }
  const a = candidate('a', { logger })
  let turn = 0
  a.start(async () => {
    turn += 1
    if (turn === 1) throw new Error('broken')
  })
  await elapseUntil(time, () => turn === 3)
  assert.equal(errors.length, 1)
  assert.equal(new Set(a.terms.map(term => term.epoch)).size, 3)
  await drive(time, a.stop())
})

test('leading never overlaps with itself, however long the end of a term takes', async () => {
  const a = candidate('a')
  let running = 0
  let highest = 0
  a.start(async term => {
    running += 1
    highest = Math.max(highest, running)
    while (!term.signal.aborted) await elapseOf(a, 500)
    await elapseOf(a, 40_000)
    running -= 1
  })
  await elapseUntil(time, leads(a))
  a.link.state = 'down'
  await elapse(time, 20_000)
  a.link.state = 'up'
  await elapse(time, 100_000)
  assert.equal(highest, 1)
  assert.ok(a.terms.length >= 2)
  await drive(time, a.stop())
})

test('the lease is kept until the leader has come to its end, then handed over', async () => {
  const [a, b] = [candidate('a'), candidate('b')]
  a.start(async term => {
    while (!term.signal.aborted) await elapseOf(a, 500)
    await elapseOf(a, 12_000)
  })
  await elapseUntil(time, leads(a))
  b.start()
  const stopping = a.stop()
  await elapse(time, 11_000)
  assert.ok(!a.hasFinished && !b.isLeading)
  await drive(time, stopping)
  await elapse(time, 1000)
  assert.ok(a.hasFinished && b.isLeading)
  await drive(time, b.stop())
})

test('a leader that does not stop cannot keep its process, and its lease is left to expire', async () => {
  const errors: Fields[] = []
  const logger: Logger = { ...silentLogger, error: fields => errors.push(fields) }
  const a = candidate('a', { logger })
  a.start(() => new Promise(() => undefined))
  await elapseUntil(time, leads(a))
  await drive(time, a.stop())
  assert.equal((await read())?.holderIdentity, 'a')
  assert.equal(errors.length, 1)
})

test('stopping leaves no timers behind, in whichever state', async () => {
  const [leader, waiting, cut] = [candidate('a'), candidate('b'), candidate('c')]
  leader.start()
  await elapseUntil(time, leads(leader))
  waiting.start()
  cut.link.state = 'down'
  cut.start()
  await elapse(time, 10_000)
  await drive(time, Promise.all([leader.stop(), waiting.stop(), cut.stop()]))
  for (const { identity, clock } of [leader, waiting, cut]) assert.equal(clock.timers, 0, identity)
})

test('stopping before the first look is a way to stop too', async () => {
  const a = candidate('a')
  a.start()
  await a.stop()
  assert.deepEqual([a.terms.length, await read()], [0, undefined])
})

test('periods that cannot work are refused', () => {
  const { client, clock, random } = { client: admin, clock: time, random: { next: () => 0 } }
  const build = (timing: object) =>
    new LeaderElector({ ...ref, client, clock, random, identity: 'a', ...TIMING, ...timing })
  assert.throws(() => build({ renewDeadlineMs: 15_000 }), RangeError)
  assert.throws(() => build({ retryPeriodMs: 10_000 }), RangeError)
  assert.throws(() => build({ retryPeriodMs: 0 }), RangeError)
  assert.throws(() => build({ leaseDurationMs: Number.NaN }), RangeError)
})

/** A pause of a leader's work, on the clock of its machine. */
const elapseOf = (who: Candidate, ms: number) => new Promise<void>(resolve => void who.clock.after(ms, resolve))
