import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { VirtualClock } from '@godwit/ports'
import type { DemoView } from './render.ts'
import { ProgressWriter } from './render-writer.ts'

const view: DemoView = {
  title: 'demo',
  phase: 'Validating',
  elapsedMs: 0,
  total: 10,
  stages: [{ name: 'Validating', done: 0, acting: 0, waiting: 10, failed: 0 }],
  waitingFor: [],
  log: [],
}
const moved = (done: number, changes: Partial<DemoView> = {}): DemoView => ({
  ...view,
  ...changes,
  stages: [{ name: 'Validating', done, acting: 0, waiting: 10 - done, failed: 0 }],
})

function harness(output: { isTTY?: boolean; columns?: number; rows?: number }, environment = {}) {
  const clock = new VirtualClock(0)
  const written: string[] = []
  const writer = new ProgressWriter({ output: { ...output, write: text => written.push(text) }, clock, environment })
  return { clock, written, writer }
}

/** What stands on a terminal after the writes: understands only what the writer uses. */
function screenOf(written: readonly string[]): string[] {
  const lines: string[] = []
  const control = new RegExp(`${String.fromCharCode(27)}\\[(\\d+)A${String.fromCharCode(27)}\\[0J`)
  for (const text of written) {
    const up = control.exec(text)?.[1]
    if (up === undefined) lines.push(...stripVTControlCharacters(text).split('\n').slice(0, -1))
    else lines.splice(lines.length - Number(up))
  }
  return lines
}

test('on a terminal the table is redrawn in place and its clock runs on by itself', () => {
  const { clock, written, writer } = harness({ isTTY: true })
  writer.start(view)
  clock.advance(3_000)
  const screen = screenOf(written)
  assert.equal(screen.filter(line => line.startsWith('demo')).length, 1)
  assert.equal(screen[0], 'demo  0:03  Validating')
})

test('on a terminal many updates at once are drawn a few times, the last one always', () => {
  const { clock, written, writer } = harness({ isTTY: true })
  writer.start(view)
  const before = written.length
  for (let done = 0; done <= 10; done += 1) writer.update(moved(done))
  assert.equal(written.length, before)
  clock.advance(100)
  assert.match(screenOf(written).join('\n'), /10\/10/)
})

test('a logged line stays above the table', () => {
  const { written, writer } = harness({ isTTY: true })
  writer.start(view)
  writer.log('kill -9 source')
  writer.log('source recovered')
  writer.stop()
  assert.deepEqual(screenOf(written).slice(0, 3), ['kill -9 source', 'source recovered', 'demo  0:00  Validating'])
})

test('a table higher than the window is cut, so that it can be erased', () => {
  const { written, writer } = harness({ isTTY: true, rows: 3 })
  writer.start({ ...view, log: ['one', 'two'] })
  assert.equal(screenOf(written).length, 2)
})

test('colour is used on a terminal only, and not against NO_COLOR', () => {
  const isColoured = ({ written, writer }: ReturnType<typeof harness>) => {
    writer.start(view)
    return written.some(text => text.includes(`${String.fromCharCode(27)}[1m`))
  }
  assert.equal(isColoured(harness({ isTTY: true })), true)
  assert.equal(isColoured(harness({ isTTY: true }, { NO_COLOR: '1' })), false)
  assert.equal(isColoured(harness({})), false)
})

test('elsewhere a line is written when something changed, at most one a second', () => {
  const { clock, written, writer } = harness({})
  writer.start(view)
  for (let done = 1; done <= 5; done += 1) {
    clock.advance(300)
    writer.update(moved(done, { elapsedMs: clock.now() }))
  }
  clock.advance(10_000)
  assert.deepEqual(written, [
    '0:00  Validating, Validating 0/10\n',
    '0:01  Validating, Validating 3/10\n',
    '0:02  Validating, Validating 5/10\n',
  ])
})

test('elsewhere a new phase, a kill and a recovery are written at once', () => {
  const { written, writer } = harness({})
  writer.start(view)
  writer.update(moved(10, { phase: 'Initializing', log: ['kill -9 source'] }))
  writer.log('source recovered')
  assert.deepEqual(written.slice(1), [
    '0:00  kill -9 source\n',
    '0:00  Initializing, Validating 10/10\n',
    'source recovered\n',
  ])
})

test('after the stop the last view stands and nothing is written any more', () => {
  for (const isTTY of [true, false]) {
    const { clock, written, writer } = harness({ isTTY })
    writer.start(view)
    writer.update(moved(10))
    writer.stop()
    const { length } = written
    assert.match(screenOf(written).join('\n'), /10\/10/)
    clock.advance(60_000)
    assert.equal(written.length, length)
    assert.equal(clock.untilNext(), undefined)
  }
})
