import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Look, nextHealth, type PeerHealth } from './health.ts'

const answered: Look = { kind: 'answered' }
const missed: Look = { kind: 'missed', reason: 'timeout' }

function after(start: PeerHealth, looks: readonly Look[]) {
  let health = start
  const turns: string[] = []
  for (const look of looks) {
    const step = nextHealth(health, look, 3)
    health = step.health
    if (step.turned) turns.push(step.turned)
  }
  return { ...health, turns }
}
const created: PeerHealth = { state: 'created', misses: 0 }

test('a new peer becomes available with its first answer', () =>
  assert.deepEqual(after(created, [answered, answered]), { state: 'available', misses: 0, turns: ['reachable'] }))

test('three misses in a row make it unavailable, fewer do not', () => {
  assert.deepEqual(after(created, [answered, missed, missed]), { state: 'available', misses: 2, turns: ['reachable'] })
  assert.deepEqual(after(created, [answered, missed, missed, answered, missed, missed]).state, 'available')
  assert.deepEqual(after(created, [answered, missed, missed, missed]).turns, ['reachable', 'unreachable'])
})

test('a peer that never answered becomes unavailable too', () =>
  assert.deepEqual(after(created, [missed, missed, missed]), {
    state: 'unavailable',
    misses: 3,
    turns: ['unreachable'],
  }))

test('what goes on is told once, not again and again', () =>
  assert.deepEqual(after(created, [...Array(9).fill(missed), answered]).turns, ['unreachable', 'reachable']))

test('a threshold that was lowered counts the misses there are', () =>
  assert.equal(nextHealth({ state: 'available', misses: 4 }, missed, 2).turned, 'unreachable'))
