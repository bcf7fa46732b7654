import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchSink } from '../http/message.ts'
import { Outbox } from './outbox.ts'

/** A sink whose reader takes nothing until told to. */
class LazySink implements WatchSink {
  readonly lines: string[] = []
  state: 'open' | 'ended' | 'destroyed' = 'open'
  #buffered = 0
  #onDrain: (() => void) | undefined

  write(line: Buffer): void {
    this.lines.push(line.toString().slice(0, 8).trim())
    this.#buffered += line.length
  }
  buffered(): number {
    return this.#buffered
  }
  onDrain(run: () => void): void {
    this.#onDrain = run
  }
  end(): void {
    this.state = 'ended'
  }
  destroy(): void {
    this.state = 'destroyed'
  }
  read(): void {
    this.#buffered = 0
    const run = this.#onDrain
    this.#onDrain = undefined
    run?.()
  }
}

const megabyte = 1024 * 1024
const line = (name: string, size = 600_000) => Buffer.from(name.padEnd(size, ' '))

test('lines go straight through while the reader keeps up, and keep their order when it does not', () => {
  const sink = new LazySink()
  const outbox = new Outbox(sink)
  for (let i = 0; i < 5; i++) outbox.push(line(`l${i}`))
  assert.deepEqual(sink.lines, ['l0', 'l1'])
  sink.read()
  assert.deepEqual(sink.lines, ['l0', 'l1', 'l2', 'l3'])
  outbox.push(line('l5'))
  sink.read()
  sink.read()
  assert.deepEqual(sink.lines, ['l0', 'l1', 'l2', 'l3', 'l4', 'l5'])
  assert.equal(sink.state, 'open')
})

test('a reader that stays behind is cut off, but not for the size of its initial replay', () => {
  const replayed = new LazySink()
  const patient = new Outbox(replayed)
  for (let i = 0; i < 40; i++) patient.replay(line('r'))
  assert.equal(replayed.state, 'open')
  const live = new LazySink()
  const outbox = new Outbox(live)
  for (let i = 0; i < 40; i++) outbox.push(line('l'))
  assert.equal(live.state, 'destroyed')
  assert.ok(live.buffered() < 2 * megabyte)
})

test('the end comes after everything that was said before', () => {
  const sink = new LazySink()
  const outbox = new Outbox(sink)
  for (let i = 0; i < 4; i++) outbox.push(line(`l${i}`))
  outbox.end()
  outbox.push(line('late'))
  assert.equal(sink.state, 'open')
  sink.read()
  sink.read()
  assert.deepEqual([sink.lines, sink.state], [['l0', 'l1', 'l2', 'l3'], 'ended'])
})

test('once the reader is gone nothing is written any more', () => {
  const sink = new LazySink()
  const outbox = new Outbox(sink)
  outbox.close()
  outbox.push(line('l'))
  outbox.end()
  assert.deepEqual([sink.lines, sink.state], [[], 'open'])
})
