// npm run bench -- nodes [--moves N] [--sets N] [--idle-seconds N]: what the operator adds to what nodes and registry take.
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '@godwit/ports'
import { DEFAULT_AGENT_KNOBS, INSTANT_AGENT_KNOBS } from '@godwit/simulation'
import { Rig } from './rig.ts'

const { values } = parseArgs({
  options: {
    moves: { type: 'string', default: '30' },
    sets: { type: 'string', default: '1000' },
    'idle-seconds': { type: 'string', default: '60' },
  },
})
const API_LATENCY_MS = 5

await overhead(Number(values.moves))
await withCopy(5)
const few = await manyAtOnce(Math.max(2, Math.floor(Number(values.sets) / 10)), 0)
const many = await manyAtOnce(Number(values.sets), Number(values['idle-seconds']))
console.log(`  cost of a set, all against a tenth: ${(many / few).toFixed(2)} times as many API calls`)

/** One migration after another with agents and a registry that take no time. */
async function overhead(moves: number): Promise<void> {
  const rig = await Rig.start({ knobs: INSTANT_AGENT_KNOBS, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(1)
  const before = rig.calls
  const times = await moveRepeatedly(rig, moves)
  const { api, registry } = rig.calls
  console.log(
    `operator overhead of one migration (agents and registry at 0 ms, API at ${API_LATENCY_MS} ms), ${moves} moves`,
  )
  console.log(`  p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms (bound: p50 150 ms)`)
  console.log(
    `  ${((api - before.api) / moves).toFixed(1)} API calls and ${((registry - before.registry) / moves).toFixed(1)} registry calls each`,
  )
  await rig.stop()
}

/** A save and a restore that copy for a second each. */
async function withCopy(moves: number): Promise<void> {
  const durations = { ...INSTANT_AGENT_KNOBS.durations, push: 1_000, fetch: 1_000 }
  const rig = await Rig.start({ knobs: { ...DEFAULT_AGENT_KNOBS, durations }, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(1)
  const times = await moveRepeatedly(rig, moves)
  console.log(`one migration with a copy of 2 s, ${moves} moves`)
  console.log(`  p50 ${percentile(times, 0.5)} ms, longest ${Math.max(...times)} ms (bound: 2500 ms)`)
  await rig.stop()
}

/** @returns API calls for each set */
async function manyAtOnce(sets: number, idleSeconds: number): Promise<number> {
  const rig = await Rig.start({ knobs: INSTANT_AGENT_KNOBS, apiLatencyMs: API_LATENCY_MS })
  await rig.createSets(sets)
  const before = rig.calls
  const beganMs = systemClock.now()
  for (let index = 0; index < sets; index++) await rig.pin(index, 1)
  await rig.settled(sets)
  const tookMs = systemClock.now() - beganMs
  const moved = rig.calls
  const each = (moved.api - before.api) / sets
  console.log(`${sets} sets pinned at once`)
  console.log(
    `  all settled in ${(tookMs / 1000).toFixed(1)} s, ${(tookMs / sets).toFixed(1)} ms and ${each.toFixed(1)} API calls for each, ${rig.damages} states lost`,
  )
  if (idleSeconds > 0) {
    await sleep(systemClock, 2_000)
    const idleFrom = rig.calls
    rig.takeKinds()
    await sleep(systemClock, idleSeconds * 1_000)
    const { api, registry } = rig.calls
    console.log(
      `  idle for ${idleSeconds} s: ${api - idleFrom.api} API calls, ${registry - idleFrom.registry} registry calls (watches are renewed after minutes)`,
    )
    console.log(`    ${rig.takeKinds()}`)
  }
  await rig.stop()
  return each
}

async function moveRepeatedly(rig: Rig, moves: number): Promise<number[]> {
  const times: number[] = []
  for (let move = 1; move <= moves; move++) {
    const beganMs = systemClock.now()
    await rig.pin(0, move)
    await rig.settled(1)
    times.push(systemClock.now() - beganMs)
  }
  return times
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
