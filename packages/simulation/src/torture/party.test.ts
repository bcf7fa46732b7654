import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Transport, TransportRequest, TransportResponse } from '@godwit/kube'
import { nextTurn, sleep, VirtualClock } from '@godwit/ports'
import { Party, type ProcessPorts } from './party.ts'

const write = (path: string): TransportRequest => ({ method: 'POST', path, headers: {} })
const read = (path: string): TransportRequest => ({ method: 'GET', path, headers: {} })

/** A server that remembers what reached it. */
function serverOf(lines: readonly string[] = []) {
  const seen: string[] = []
  const transport: Transport = {
    async request({ method, path }): Promise<TransportResponse> {
      seen.push(`${method} ${path}`)
      return {
        status: 200,
        headers: {},
        text: async () => '{}',
        async *lines() {
          yield* lines
        },
      }
    },
    close: async () => undefined,
  }
  return { seen, transport }
}

function partyOf(program: (ports: ProcessPorts) => Promise<void>) {
  const clock = new VirtualClock()
  let epoch = 0
  const party = new Party({
    name: 'p',
    clock,
    program,
    nextEpoch: () => ++epoch,
    restartMs: 1_000,
    onTraffic: () => undefined,
  })
  return { party, clock }
}

const settled = async () => {
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}

/** Writes a, b and c, then stays. */
function writer(server: Transport, steps: string[]) {
  return async ({ wire, epoch }: ProcessPorts) => {
    const own = wire(server)
    for (const name of ['a', 'b', 'c']) {
      await own.request(write(`${epoch}${name}`))
      steps.push(`${epoch}${name}`)
    }
    await new Promise<never>(() => undefined)
  }
}

describe('a party that dies at its second write', () => {
  for (const [when, reached] of [
    ['before', ['POST 1a']],
    ['after', ['POST 1a', 'POST 1b']],
  ] as const)
    test(`${when} it is sent does nothing more, and is started anew with a higher epoch`, async () => {
      const server = serverOf()
      const steps: string[] = []
      const { party, clock } = partyOf(writer(server.transport, steps))
      party.crashAt(2, when)
      party.start()
      await settled()
      assert.deepEqual(server.seen, reached)
      assert.deepEqual(steps, ['1a'], 'the answer was never seen')
      assert.equal(party.crashes, 1)
      clock.advance(999)
      await settled()
      assert.deepEqual(server.seen, reached)
      clock.advance(1)
      await settled()
      assert.deepEqual(server.seen, [...reached, 'POST 2a', 'POST 2b', 'POST 2c'])
      assert.equal(party.writes, 5, 'writes are counted over all processes')
    })
})

test('reads are no writes, and timers of a dead process never fire', async () => {
  const server = serverOf()
  const fired: number[] = []
  const { party, clock } = partyOf(async ({ wire, clock: own, epoch }) => {
    await wire(server.transport).request(read('x'))
    own.after(500, () => fired.push(epoch))
    await new Promise<never>(() => undefined)
  })
  party.start()
  await settled()
  party.crash()
  clock.advance(1_000)
  await settled()
  clock.advance(500)
  assert.deepEqual(fired, [2])
  assert.equal(party.writes, 0)
})

test('a sleeper that was replaced first does what it was about to, and is told to stop only then', async () => {
  const server = serverOf()
  const told: string[] = []
  const { party, clock } = partyOf(async ({ wire, clock: own, epoch, signal }) => {
    signal.addEventListener('abort', () => told.push(`stop ${epoch}`))
    await sleep(own, 100)
    await wire(server.transport).request(write(`${epoch}`))
    told.push(`wrote ${epoch}`)
    await new Promise<never>(() => undefined)
  })
  party.start()
  await settled()
  party.replaceSleeping({ sleepMs: 5_000, noticeMs: 50 })
  clock.advance(4_999)
  await settled()
  assert.deepEqual(told, ['wrote 2'])
  clock.advance(1)
  await settled()
  assert.deepEqual(told, ['wrote 2', 'wrote 1'])
  clock.advance(50)
  assert.deepEqual(told, ['wrote 2', 'wrote 1', 'stop 1'])
  assert.deepEqual(server.seen, ['POST 2', 'POST 1'])
})

test('a watch of a dead process neither goes on nor ends', async () => {
  const server = serverOf(['one', 'two'])
  const heard: string[] = []
  const { party } = partyOf(async ({ wire, epoch }) => {
    if (epoch > 1) return new Promise<never>(() => undefined)
    const { lines } = await wire(server.transport).request({ ...read('w'), stream: true })
    for await (const line of lines()) {
      heard.push(line)
      party.crash()
    }
    heard.push('ended')
  })
  party.start()
  await settled()
  assert.deepEqual(heard, ['one'])
})

test('a closed party is not started again', async () => {
  let starts = 0
  const { party, clock } = partyOf(async () => {
    starts += 1
  })
  party.start()
  await settled()
  clock.advance(1_000)
  await settled()
  assert.equal(starts, 2, 'a program that ends by itself is run again')
  party.close()
  clock.advance(10_000)
  await settled()
  assert.equal(starts, 2)
})
