// npm run bench -- nodes [--moves N] [--sets N] [--idle-seconds N] [--timeline]: what the operator adds to what nodes and
// registry take. --timeline: every call of one migration.
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '@godwit/ports'
import { DEFAULT_AGENT_KNOBS, INSTANT_AGENT_KNOBS } from '@godwit/simulation'
import { DEFAULT_SET_LIMITS } from '../src/set/set-facts.ts'
import { Rig } from './rig.ts'

const { values } = parseArgs({
  options: {
    moves: { type: 'string', default: '30' },
    sets: { type: 'string', default: '1000' },
    'idle-seconds': { type: 'string', default: '60' },
    timeline: { type: 'boolean', default: false },
  },
})
const API_LATENCY_MS = 5

await overhead(Number(values.moves))
await withCopy(5)
const few = await manyAtOnce(Math.max(2, Math.floor(Number(values.sets) / 10)), 0)
const many = await manyAtOnce(Number(values.sets), Number(values['idle-seconds']))
console.log(`cost of a set among ten times as many: ${(many.calls / few.calls).toFixed(2)} times the API calls`)

/** One migration after another with agents and a registry that take no time. */
async function overhead(moves: number): Promise<void> {
  const rig = await Rig.start({ knobs: INSTANT_AGENT_KNOBS, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(1)
  await rig.clean()
  const before = rig.calls
  const { settled, clean } = await moveRepeatedly(rig, moves)
  const { api, registry } = rig.calls
  const each = (count: number) => (count / moves).toFixed(1)
  console.log(
    `operator overhead of one migration (agents and registry at 0 ms, API at ${API_LATENCY_MS} ms), ${moves} moves`,
  )
  console.log(
    `  until Running p50 ${percentile(settled, 0.5)} ms, p99 ${percentile(settled, 0.99)} ms (bound: p50 150 ms)`,
  )
  console.log(
    `  until the snapshot is gone too p50 ${percentile(clean, 0.5)} ms: the VM has to serve for ${DEFAULT_SET_LIMITS.soakMs} ms before`,
  )
  console.log(`  ${each(api - before.api)} API calls and ${each(registry - before.registry)} registry calls each`)
  await rig.stop()
  if (values.timeline) await timeline()
}

/** Every call of one migration: when it was sent and answered, in milliseconds since the pin changed. */
async function timeline(): Promise<void> {
  const rig = await Rig.start({ knobs: INSTANT_AGENT_KNOBS, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(1)
  await moveRepeatedly(rig, 2)
  rig.takeTimeline()
  const beganMs = systemClock.now()
  await rig.pin(0, 3)
  await rig.settled(1)
  await rig.clean()
  for (const { what, beganMs: sentMs, endedMs } of rig.takeTimeline())
    console.log(
      `  ${[sentMs - beganMs, endedMs - beganMs].map(ms => `${ms}`.padStart(5)).join(' ')}  ${what.slice(0, 160)}`,
    )
  await rig.stop()
}

/** A save and a restore that copy for a second each. */
async function withCopy(moves: number): Promise<void> {
  const durations = { ...INSTANT_AGENT_KNOBS.durations, push: 1_000, fetch: 1_000 }
  const rig = await Rig.start({ knobs: { ...DEFAULT_AGENT_KNOBS, durations }, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(1)
  const { settled } = await moveRepeatedly(rig, moves)
  console.log(`one migration with a copy of 2 s, ${moves} moves`)
  console.log(`  until Running p50 ${percentile(settled, 0.5)} ms, longest ${Math.max(...settled)} ms (bound: 2500 ms)`)
  await rig.stop()
}

/** All pinned in one go. @returns what each set cost */
async function manyAtOnce(sets: number, idleSeconds: number): Promise<{ readonly calls: number }> {
  const rig = await Rig.start({ knobs: INSTANT_AGENT_KNOBS, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(sets)
  await rig.clean()
  const before = rig.calls
  rig.takeTimeline()
  const beganMs = systemClock.now()
  await Promise.all(Array.from({ length: sets }, (_, index) => rig.pin(index, 1)))
  await rig.settled(sets)
  const tookMs = systemClock.now() - beganMs
  await rig.clean()
  const { api, registry } = rig.calls
  const calls = (api - before.api) / sets
  console.log(`${sets} sets pinned at once`)
  console.log(
    `  all Running in ${(tookMs / 1000).toFixed(1)} s, ${(tookMs / sets).toFixed(1)} ms, ${calls.toFixed(1)} API calls and ${((registry - before.registry) / sets).toFixed(1)} registry calls for each, ${rig.damages} states lost`,
  )
  if (idleSeconds > 0) await idle(rig, idleSeconds)
  await rig.stop()
  return { calls }
}

/** Events are written behind the work, at a limited rate: it is quiet when the last of them is written. */
async function idle(rig: Rig, seconds: number): Promise<void> {
  const settledMs = systemClock.now()
  for (let last = -1; rig.calls.api !== last; await sleep(systemClock, 2_000)) last = rig.calls.api
  const quietMs = systemClock.now() - settledMs - 4_000
  rig.takeKinds()
  const before = rig.calls
  await sleep(systemClock, seconds * 1_000)
  const { api, registry } = rig.calls
  console.log(
    `  quiet ${Math.max(0, quietMs / 1000).toFixed(0)} s later, then idle for ${seconds} s: ${api - before.api} API calls, ${registry - before.registry} registry calls ${rig.takeKinds()}`,
  )
}

async function moveRepeatedly(rig: Rig, moves: number) {
  const settled: number[] = []
  const clean: number[] = []
  for (let move = 1; move <= moves; move++) {
    const beganMs = systemClock.now()
    await rig.pin(0, move)
    await rig.settled(1)
    settled.push(systemClock.now() - beganMs)
    await rig.clean()
    clean.push(systemClock.now() - beganMs)
  }
  return { settled, clean }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
