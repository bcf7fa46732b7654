import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, type Logger, silentLogger, VirtualClock } from '@godwit/ports'
import { type Disturbance, FakeCollection } from '../test/fake-collection.ts'
import { setUp, synced } from '../test/informer-world.ts'
import { drive, elapse, settle } from '../test/virtual-time.ts'

const queriesOf = (server: FakeCollection) =>
  server.requests.map(({ path }) => Object.fromEntries(new URL(path, 'http://x').searchParams))

test('the cache holds what is listed, then follows every change', async () => {
  const { server, informer, log, values } = await synced()
  assert.deepEqual(values(), { a: 1, b: 1 })
  server.put('a', 2)
  server.put('c', 1)
  server.remove('b')
  await settle()
  assert.deepEqual(values(), { a: 2, c: 1 })
  assert.deepEqual(log.lines(), ['added a', 'added b', 'updated a', 'added c', 'deleted b'])
  assert.deepEqual(log.complaints, [])
  await informer.stop()
})

test('nothing is synced before the first complete list', async () => {
  const { server, clock, informer } = setUp()
  server.put('a', 1)
  server.faults.push({ kind: 'status', code: 500 })
  assert.equal(informer.hasSynced(), false)
  informer.start()
  await settle()
  assert.equal(informer.hasSynced(), false)
  await drive(clock, informer.synced())
  assert.equal(informer.hasSynced(), true)
  await informer.stop()
})

test('waiting for the sync ends with the signal and with the informer', async () => {
  const { server, informer } = setUp()
  server.faults.push({ kind: 'hang' })
  informer.start()
  const stop = new AbortController()
  const waiting = [informer.synced(stop.signal), informer.synced(AbortSignal.abort())]
  stop.abort()
  await Promise.all(waiting)
  const last = informer.synced()
  await informer.stop()
  await last
  assert.equal(informer.hasSynced(), false)
})

test('the first list is paged and the watch asks for bookmarks from its version', async () => {
  const world = setUp()
  for (let index = 0; index < 1200; index++) world.server.put(`thing-${index}`, index)
  world.informer.start()
  await drive(world.clock, world.informer.synced())
  await settle()
  assert.equal(world.informer.list().length, 1200)
  const [first, second, third, watch] = queriesOf(world.server)
  assert.deepEqual([first?.['limit'], second?.['limit'], third?.['limit']], ['500', '500', '500'])
  assert.equal(watch?.['allowWatchBookmarks'], 'true')
  assert.equal(watch?.['resourceVersion'], String(world.server.version))
  await world.informer.stop()
})

const survivable: Disturbance[] = [
  'end',
  'reset',
  'expired',
  'error',
  'junk',
  'half',
  'nameless',
  'unknown',
  'bookmark',
]
for (const how of survivable)
  test(`a watch that meets "${how}" misses nothing, also of what happens meanwhile`, async () => {
    const { server, clock, informer, log, values } = await synced()
    for (let turn = 1; turn <= 5; turn++) {
      server.disturb(how)
      server.put('a', turn + 1)
      server.remove('b')
      server.put('b', turn + 1)
      await elapse(clock, 20_000)
      assert.deepEqual(values(), { a: turn + 1, b: turn + 1 })
    }
    assert.deepEqual(log.complaints, [])
    await informer.stop()
  })

test('after a clean end the watch goes on from the last version, without a list', async () => {
  const { server, clock, informer } = await synced()
  server.put('a', 2)
  await settle()
  server.tick()
  server.disturb('bookmark')
  await settle()
  const before = server.requests.length
  server.disturb('end')
  await elapse(clock, 10)
  const [next, ...others] = queriesOf(server).slice(before)
  assert.deepEqual(others, [])
  assert.deepEqual([next?.['watch'], next?.['resourceVersion']], ['true', String(server.version)])
  await informer.stop()
})

test('a compacted history leads to a new list that tells the differences', async () => {
  const { server, clock, informer, log, values } = await synced()
  server.disturb('reset')
  server.put('a', 2)
  server.remove('b')
  server.put('c', 1)
  server.compact()
  const before = server.requests.length
  await elapse(clock, 20_000)
  assert.deepEqual(values(), { a: 2, c: 1 })
  // Asked for the version after the reset, told that it is gone, listed, watched again.
  assert.equal(server.requests.length - before, 4)
  assert.deepEqual(log.lines().slice(2).sort(), ['added c', 'deleted b', 'updated a'])
  assert.deepEqual(log.complaints, [])
  await informer.stop()
})

test('a watch refused with HTTP 410 leads to a new list', async () => {
  const { server, clock, informer, values } = await synced()
  server.put('a', 2)
  await settle()
  server.faults.push({ kind: 'status', code: 410, reason: 'Expired' })
  server.disturb('end')
  server.remove('a')
  await elapse(clock, 20_000)
  assert.deepEqual(values(), { b: 1 })
  await informer.stop()
})

test('an object that was deleted and made anew behind our back is told as two objects', async () => {
  const { server, clock, informer, log } = await synced()
  server.disturb('reset')
  server.remove('a')
  server.put('a', 9)
  server.compact()
  await elapse(clock, 20_000)
  assert.deepEqual(log.lines().slice(2), ['deleted a', 'added a'])
  assert.equal(log.changes[2]?.object.spec.value, 1)
  await informer.stop()
})

test('failing lists are repeated with growing pauses until they work', async () => {
  const { server, clock, informer, values } = setUp({ backoff: { baseMs: 100, maxMs: 1000 } })
  server.put('a', 1)
  for (const code of [500, 403, 404, 503, 401]) server.faults.push({ kind: 'status', code })
  for (let index = 0; index < 5; index++) server.faults.push({ kind: 'cut' })
  const askedAt: number[] = []
  const { request } = FakeCollection.prototype
  server.request = asked => {
    askedAt.push(clock.now())
    return request.call(server, asked)
  }
  informer.start()
  await drive(clock, informer.synced())
  assert.deepEqual(values(), { a: 1 })
  const pauses = askedAt.slice(1, 11).map((at, index) => at - (askedAt[index] ?? 0))
  pauses.forEach((pauseMs, index) => {
    const ceilingMs = Math.min(1000, 100 * 2 ** index)
    assert.ok(pauseMs >= ceilingMs / 2 - 1 && pauseMs <= ceilingMs + 1, `pause ${index} was ${pauseMs} ms`)
  })
  await informer.stop()
})

test('a server that asks for patience is given it', async () => {
  const { server, clock, informer } = setUp()
  for (let index = 0; index < 5; index++)
    server.faults.push({ kind: 'status', code: 429, reason: 'TooManyRequests', retryAfterSeconds: 20 })
  informer.start()
  await elapse(clock, 99_000)
  assert.ok(server.requests.length <= 5, `${server.requests.length} requests`)
  await drive(clock, informer.synced())
  await informer.stop()
})

test('a forbidden watch leaves an informer that lists from time to time', async () => {
  const { server, clock, informer, values } = await synced({ backoff: { baseMs: 100, maxMs: 10_000 } })
  server.disturb('end')
  const { request } = FakeCollection.prototype
  server.request = async asked => {
    if (asked.stream) server.faults.unshift({ kind: 'status', code: 403, reason: 'Forbidden' })
    return request.call(server, asked)
  }
  server.put('a', 7)
  await elapse(clock, 60_000)
  assert.deepEqual(values(), { a: 7, b: 1 })
  assert.ok(server.requests.length < 60, `${server.requests.length} requests in a minute`)
  await informer.stop()
})

test('a watch that ends at once is not opened as fast as the machine can', async () => {
  const { server, clock, informer } = await synced()
  const { request } = FakeCollection.prototype
  server.request = async asked => {
    const response = await request.call(server, asked)
    if (asked.stream) server.disturb('end')
    return response
  }
  server.disturb('end')
  await elapse(clock, 60_000)
  assert.ok(server.requests.length < 60, `${server.requests.length} requests in a minute`)
  await informer.stop()
})

test('a watch that ends after each event costs one request an event', async () => {
  const { server, clock, informer, values } = await synced()
  const before = server.requests.length
  for (let value = 2; value <= 51; value++) {
    server.put('a', value)
    await settle()
    server.disturb('end')
    await elapse(clock, 1)
  }
  assert.deepEqual(values(), { a: 51, b: 1 })
  assert.equal(server.requests.length - before, 50)
  await informer.stop()
})

test('a watch that fell silent is replaced after its time', async () => {
  const { server, clock, informer, values } = await synced()
  const { request } = FakeCollection.prototype
  server.disturb('end')
  let isMuted = true
  server.request = async asked => {
    const response = await request.call(server, asked)
    if (!asked.stream || !isMuted) return response
    isMuted = false
    return { ...response, lines: () => silence(asked.signal) }
  }
  await elapse(clock, 1000)
  server.put('a', 5)
  await elapse(clock, 60_000)
  assert.deepEqual(values(), { a: 1, b: 1 }, 'nobody can know yet')
  await elapse(clock, 240_000)
  assert.deepEqual(values(), { a: 5, b: 1 })
  await informer.stop()
})

test('a list from a replica that lags is not taken over', async () => {
  const { server, clock, informer, log, values } = await synced()
  server.put('a', 2)
  server.remove('b')
  await settle()
  server.disturb('expired')
  for (let index = 0; index < 4; index++) server.faults.push({ kind: 'lag', versions: 2 })
  await elapse(clock, 20_000)
  assert.equal(server.faults.length, 0)
  assert.deepEqual(values(), { a: 2 })
  assert.deepEqual(log.lines().slice(2), ['updated a', 'deleted b'])
  assert.equal(server.watches, 1)
  await informer.stop()
})

test('a replica that ignores the version asked for is not believed either', async () => {
  const { server, clock, informer, log, values } = await synced()
  server.put('a', 2)
  await settle()
  const { request } = FakeCollection.prototype
  server.request = asked => {
    const path = asked.path.replace(/&?resourceVersion(Match)?=\w+/g, '')
    return request.call(server, asked.stream ? asked : { ...asked, path })
  }
  server.disturb('expired')
  for (let index = 0; index < 4; index++) server.faults.push({ kind: 'lag', versions: 1 })
  await elapse(clock, 20_000)
  assert.deepEqual(values(), { a: 2, b: 1 })
  assert.deepEqual(log.complaints, [])
  assert.equal(server.watches, 1)
  await informer.stop()
})

test('a server that was restored from a backup is believed after a while, with a warning', async () => {
  const warnings: Fields[] = []
  const logger: Logger = { ...silentLogger, warn: fields => warnings.push(fields) }
  const { server, clock, informer, values } = await synced({ logger, acceptOlderAfterMs: 30_000 })
  server.put('a', 2)
  server.put('c', 3)
  await settle()
  server.restore(2)
  await elapse(clock, 20_000)
  assert.deepEqual(values(), { a: 2, b: 1, c: 3 }, 'it could still be a replica that lags')
  await elapse(clock, 60_000)
  assert.deepEqual(values(), { a: 1, b: 1 })
  assert.equal(warnings.length, 1)
  server.put('b', 8)
  await elapse(clock, 1000)
  assert.deepEqual(values(), { a: 1, b: 8 }, 'and is followed again')
  await informer.stop()
})

test('a server that was restored without breaking a connection is noticed by its silence', async () => {
  const { server, clock, informer, values } = await synced({ acceptOlderAfterMs: 1000 })
  server.put('a', 2)
  await settle()
  server.restore(1, 'end')
  await elapse(clock, 240_000)
  assert.deepEqual(values(), { a: 1, b: 1 })
  await informer.stop()
})

test('each time that a replica lags begins a new wait', async () => {
  const { server, clock, informer, values } = await synced({ backoff: { baseMs: 1000, maxMs: 1000 } })
  server.put('a', 2)
  await settle()
  for (let episode = 0; episode < 5; episode++) {
    server.disturb('expired')
    for (let index = 0; index < 20; index++) server.faults.push({ kind: 'lag', versions: 1 })
    await elapse(clock, 40_000)
    assert.equal(server.faults.length, 0)
    assert.deepEqual(values(), { a: 2, b: 1 })
  }
  await informer.stop()
})

test('events that come again change nothing', async () => {
  const { server, informer, log, values } = await synced()
  server.put('a', 2)
  server.remove('b')
  await settle()
  const before = log.changes.length
  server.disturb('replay')
  await settle()
  assert.equal(log.changes.length, before)
  assert.deepEqual(values(), { a: 2 })
  await informer.stop()
})

test('stopping really stops: in the middle of a list, of a pause and of a watch', async () => {
  const inList = setUp()
  inList.server.faults.push({ kind: 'hang' })
  inList.informer.start()
  await settle()
  await inList.informer.stop()
  const inPause = setUp()
  inPause.server.faults.push({ kind: 'cut' })
  inPause.informer.start()
  await settle()
  await inPause.informer.stop()
  const inWatch = await synced()
  inWatch.server.put('a', 2)
  await inWatch.informer.stop()
  for (const { server, clock, log, informer } of [inList, inPause, inWatch]) {
    const [requests, changes] = [server.requests.length, log.changes.length]
    server.put('z', 1)
    informer.start()
    await elapse(clock, 600_000)
    assert.deepEqual([server.requests.length, log.changes.length], [requests, changes])
    assert.equal(server.watches, 0)
    assert.equal(clock.untilNext(), undefined, 'no timer is left behind')
  }
})

test('a long life leaves no timers and no listeners behind', async () => {
  const { server, clock, informer } = await synced()
  for (let turn = 0; turn < 50; turn++) {
    server.disturb(turn % 2 ? 'reset' : 'end')
    await elapse(clock, 30_000)
  }
  let timers = 0
  const { after } = VirtualClock.prototype
  clock.after = (delayMs, run) => {
    timers += 1
    return after.call(clock, delayMs, run)
  }
  await informer.stop()
  assert.equal(clock.untilNext(), undefined)
  assert.equal(timers, 0)
})

async function* silence(signal: AbortSignal | undefined): AsyncGenerator<string> {
  await new Promise<void>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
  })
  yield ''
}
