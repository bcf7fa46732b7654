import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ItemWish, type Progress, STAGES, type StageName, stageIndex, type Wish } from '../api/index.ts'
import { hasReached, hasUndone, type ItemFacts } from './item-table.ts'
import { type StepContext, stepItem } from './step-item.ts'

const START = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const context = (over: Partial<StepContext> = {}): StepContext => ({
  nowMs: START,
  deadlineMs: stage => (stage === 'Rollbacking' ? 15 * MINUTE : 5 * MINUTE),
  limit: 'Cleaning',
  attempt: 0,
  ...over,
})

const done = (
  stage: StageName,
  direction: 'Forward' | 'Undo' = 'Forward',
  evidence: Record<string, string> = {},
): Progress => ({
  stage,
  direction,
  state: 'Done',
  entered: true,
  since: '2026-01-01T00:00:00Z',
  evidence,
})
const failed = (stage: StageName, code: string, direction: 'Forward' | 'Undo' = 'Forward'): Progress => ({
  ...done(stage, direction),
  state: 'Failed',
  code,
  message: `${code} happened`,
})

/** Both agents on paper: each fulfils its wish one stage at a time. */
class PaperWorld {
  source: { wish: ItemWish | undefined; progress: Progress | undefined } = { wish: undefined, progress: undefined }
  target: { wish: ItemWish | undefined; progress: Progress | undefined } = { wish: undefined, progress: undefined }
  readonly delivered = new Set<string>()
  readonly trace: string[] = []
  nowMs = START

  get facts(): ItemFacts {
    return {
      name: 'c1',
      source: { hub: 'hub1', ...this.source },
      target: { hub: 'hub2', ...this.target },
      isBundleDelivered: bundle => this.delivered.has(bundle),
    }
  }

  controller(limit: StageName = 'Cleaning') {
    const step = stepItem(this.facts, context({ nowMs: this.nowMs, limit }))
    const say = (side: string, before: Wish | undefined, after: Wish | undefined) => {
      if (after && (before?.stage !== after.stage || before.direction !== after.direction))
        this.trace.push(`${side} ${after.direction} ${after.stage}`)
    }
    say('source', this.source.wish, step.source)
    say('target', this.target.wish, step.target)
    this.source.wish = step.source
    this.target.wish = step.target
    if (step.bundleToDeliver) this.delivered.add(step.bundleToDeliver)
    return step
  }

  agent(side: 'source' | 'target') {
    const { wish, progress } = this[side]
    if (!wish || progress?.state === 'Failed') return
    if (wish.direction === 'Undo') {
      this[side].progress = done(wish.stage, 'Undo')
      return
    }
    const reached = progress ? stageIndex(progress.stage) : -1
    const next = STAGES[reached + 1]
    if (next && stageIndex(next) <= stageIndex(wish.stage))
      this[side].progress = done(
        next,
        'Forward',
        side === 'source' && stageIndex(next) >= stageIndex('Deploying') ? { bundle: 'b1', digest: 'd1' } : {},
      )
  }

  run(rounds = 40) {
    for (let i = 0; i < rounds && !this.source.wish?.outcome; i++) {
      this.controller()
      this.agent('source')
      this.agent('target')
    }
    this.controller()
  }
}

test('a cluster that meets no trouble arrives, wish by wish, in the one permitted order', () => {
  const world = new PaperWorld()
  world.run()
  assert.equal(world.source.wish?.outcome, 'Completed')
  assert.deepEqual(world.trace, [
    'source Forward Validating',
    'target Forward Validating',
    'source Forward Initializing',
    'source Forward Deploying',
    'target Forward Deploying',
    'source Forward Registering',
    'target Forward Registering',
    'target Forward Cleaning',
    'source Forward Cleaning',
  ])
  assert.deepEqual([world.target.wish?.bundle, world.target.wish?.digest], ['b1', 'd1'])
})

test('whatever the speed of the agents, the source denies only a deployed cluster and is cleaned only after a settled one', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('controller', 'source', 'target'), { maxLength: 120 }), turns => {
      const world = new PaperWorld()
      for (const turn of turns) {
        if (turn === 'controller') world.controller()
        else world.agent(turn as 'source' | 'target')
        const wished = world.source.wish?.stage
        if (wished && stageIndex(wished) >= stageIndex('Registering'))
          assert.ok(hasReached(world.target.progress, 'Deploying'))
        if (wished === 'Cleaning') assert.ok(hasReached(world.target.progress, 'Cleaning'))
        if (world.target.wish?.bundle) assert.ok(world.delivered.has(world.target.wish.bundle))
      }
    }),
  )
})

test('clusters do not go beyond the limit while the hubs are not prepared', () => {
  const world = new PaperWorld()
  for (let i = 0; i < 10; i++) {
    world.controller('Validating')
    world.agent('source')
    world.agent('target')
  }
  assert.deepEqual(world.trace, ['source Forward Validating', 'target Forward Validating'])
  assert.equal(world.source.wish?.outcome, undefined)
})

test('the bundle reaches the namespace of the target before the target is told of it', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Deploying', direction: 'Forward', cursor: { ...cursorAt('Deploying') } },
    progress: done('Deploying', 'Forward', { bundle: 'b1', digest: 'd1' }),
  }
  world.target = { wish: { stage: 'Validating', direction: 'Forward' }, progress: done('Validating') }
  const first = world.controller()
  assert.equal(first.bundleToDeliver, 'b1')
  assert.equal(first.target?.stage, 'Validating')
  assert.equal(world.controller().target?.stage, 'Deploying')
})

function cursorAt(stage: StageName) {
  return {
    stage,
    direction: 'Forward',
    entered: true,
    since: '2026-01-01T00:00:00Z',
    deadline: '2026-01-01T00:05:00Z',
  } as const
}

test('a failure before the switch is taken back on both sides, the target first, and the cluster ends rolled back', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Deploying', direction: 'Forward', cursor: cursorAt('Deploying') },
    progress: done('Deploying', 'Forward', { bundle: 'b1', digest: 'd1' }),
  }
  world.target = {
    wish: { stage: 'Deploying', direction: 'Forward' },
    progress: failed('Deploying', 'ClusterConflict'),
  }
  world.trace.length = 0
  const step = world.controller()
  assert.deepEqual(step.source.failure, {
    stage: 'Deploying',
    code: 'ClusterConflict',
    message: 'ClusterConflict happened',
  })
  assert.deepEqual(world.trace, ['target Undo Deploying'])
  world.target.progress = done('Deploying', 'Undo')
  world.controller()
  assert.deepEqual(world.trace, ['target Undo Deploying', 'source Undo Initializing'])
  world.source.progress = done('Initializing', 'Undo')
  assert.equal(world.controller().source.outcome, 'RolledBack')
})

test('a stage that outlasts its deadline is taken back, and says what was still missing', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Initializing', direction: 'Forward', cursor: cursorAt('Initializing') },
    progress: { ...done('Initializing'), state: 'Acting', waitsFor: 'the two-hub configuration' },
  }
  world.nowMs = START + 5 * MINUTE
  const { failure, cursor } = world.controller().source
  assert.deepEqual(failure, {
    stage: 'Initializing',
    code: 'Timeout',
    message: 'the deadline of Initializing passed, still waiting for the two-hub configuration',
  })
  assert.equal(cursor?.deadline, '2026-01-01T00:20:00Z')
})

test('a rollback that an agent cannot finish asks a person and is never forgotten', () => {
  const world = new PaperWorld()
  world.source = {
    wish: {
      stage: 'Initializing',
      direction: 'Undo',
      cursor: { ...cursorAt('Initializing'), direction: 'Undo' },
      failure: { stage: 'Initializing', code: 'X', message: 'x' },
    },
    progress: failed('Initializing', 'Forbidden', 'Undo'),
  }
  const { source } = world.controller()
  assert.equal(source.outcome, 'Stuck')
  assert.deepEqual(source.residue, ['Forbidden: Forbidden happened'])
})

test('a cluster of a migration that is given up goes back from every stage, but not once it has arrived', () => {
  for (const stage of STAGES) {
    const wish = { stage, direction: 'Forward', cursor: { ...cursorAt(stage) } } as const
    const facts = {
      name: 'c1',
      source: { hub: 'hub1', wish, progress: done(stage) },
      target: { hub: 'hub2', wish: undefined, progress: undefined },
      isBundleDelivered: () => false,
    }
    const { source } = stepItem(facts, context({ giveUp: { code: 'Cancelled', message: 'given up' } }))
    if (stage === 'Cleaning') assert.equal(source.failure, undefined)
    else assert.deepEqual([source.failure?.stage, source.failure?.code], [stage, 'Cancelled'])
  }
})

test('a stuck cluster is undone again, with a new deadline, once for each time a person asks', () => {
  const world = new PaperWorld()
  const failure = { stage: 'Initializing', code: 'X', message: 'x' } as const
  world.source = {
    wish: {
      stage: 'Initializing',
      direction: 'Undo',
      cursor: { ...cursorAt('Initializing'), direction: 'Undo' },
      failure,
      outcome: 'Stuck',
      residue: ['Forbidden'],
    },
    progress: failed('Initializing', 'Forbidden', 'Undo'),
  }
  world.target = { wish: { stage: 'Validating', direction: 'Forward' }, progress: done('Validating') }
  const asked = context({ nowMs: START + 60 * MINUTE, attempt: 1 })
  const step = stepItem(world.facts, asked)
  assert.deepEqual(
    [step.source.outcome, step.source.residue, step.source.attempt, step.target?.attempt],
    [undefined, undefined, 1, 1],
  )
  assert.equal(step.source.cursor?.deadline, '2026-01-01T01:15:00Z')
  const failedAgain = {
    ...world.facts,
    source: {
      hub: 'hub1',
      wish: step.source,
      progress: { ...failed('Initializing', 'Forbidden', 'Undo'), attempt: 1 },
    },
  }
  const stuck = stepItem(failedAgain, asked)
  assert.equal(stuck.source.outcome, 'Stuck')
  assert.equal(
    stepItem({ ...failedAgain, source: { ...failedAgain.source, wish: stuck.source } }, asked).source.outcome,
    'Stuck',
  )
  const undone = {
    ...failedAgain,
    source: { ...failedAgain.source, progress: { ...done('Initializing', 'Undo'), attempt: 1 } },
    target: { ...failedAgain.target, progress: done('Deploying', 'Undo') },
  }
  assert.equal(stepItem(undone, asked).source.outcome, 'RolledBack')
})

test('whoever has the configuration of both hubs may be on the target already: it is asked in every rollback', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Initializing', direction: 'Forward', cursor: cursorAt('Initializing') },
    progress: failed('Initializing', 'ClusterConflict'),
  }
  world.target = { wish: { stage: 'Validating', direction: 'Forward' }, progress: done('Validating') }
  const undoing = stepItem(world.facts, context())
  assert.deepEqual([undoing.target?.stage, undoing.target?.direction], ['Deploying', 'Undo'])
  world.source = { wish: undoing.source, progress: done('Initializing', 'Undo') }
  world.target = { wish: undoing.target, progress: { ...done('Deploying', 'Undo'), state: 'Acting' } }
  assert.equal(stepItem(world.facts, context()).source.outcome, undefined)
  world.target = { wish: undoing.target, progress: done('Deploying', 'Undo') }
  assert.equal(stepItem(world.facts, context()).source.outcome, 'RolledBack')
})

test('a rollback turns also when the klusterlet came of itself and was taken over before the switch', () => {
  const world = new PaperWorld()
  const cursor = { ...cursorAt('Deploying'), direction: 'Undo' } as const
  const failure = { stage: 'Deploying', code: 'Cancelled', message: 'given up' } as const
  world.source = { wish: { stage: 'Deploying', direction: 'Forward', cursor, failure }, progress: done('Deploying') }
  const refused = { ...failed('Deploying', 'ClusterJoined', 'Undo'), evidence: { came: 'true', takenOver: 'true' } }
  world.target = { wish: { stage: 'Deploying', direction: 'Undo' }, progress: refused }
  const { source, target } = stepItem(world.facts, context({ giveUp: { code: 'Cancelled', message: 'given up' } }))
  assert.deepEqual([target?.stage, target?.direction], ['Deploying', 'Forward'])
  assert.deepEqual(
    [source.cursor?.stage, source.cursor?.direction, source.failure],
    ['Deploying', 'Forward', undefined],
  )
})

test('what could not be deployed is not tried again for ever because its klusterlet came all the same', () => {
  const world = new PaperWorld()
  const cursor = { ...cursorAt('Deploying'), direction: 'Undo' } as const
  const failure = { stage: 'Deploying', code: 'Timeout', message: 'the bundle is gone' } as const
  world.source = { wish: { stage: 'Deploying', direction: 'Forward', cursor, failure }, progress: done('Deploying') }
  const refused = { ...failed('Deploying', 'ClusterJoined', 'Undo'), evidence: { came: 'true', takenOver: 'true' } }
  world.target = { wish: { stage: 'Deploying', direction: 'Undo' }, progress: refused }
  assert.equal(stepItem(world.facts, context()).source.outcome, 'Stuck')
  const forward = { ...cursorAt('Deploying'), entered: true }
  world.source = { wish: { stage: 'Deploying', direction: 'Forward', cursor: forward }, progress: done('Deploying') }
  const late = { ...done('Deploying'), state: 'Acting', evidence: { takenOver: 'true' } } as const
  world.target = { wish: { stage: 'Deploying', direction: 'Forward' }, progress: late }
  const { source } = stepItem(world.facts, context({ nowMs: START + 60 * MINUTE }))
  assert.equal(source.failure?.code, 'Timeout')
})

test('a rollback that comes too late turns: the target has taken the klusterlet over, so the cluster arrives', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Registering', direction: 'Forward', cursor: cursorAt('Registering') },
    progress: done('Registering', 'Forward', { bundle: 'b1', digest: 'd1' }),
  }
  world.target = { wish: { stage: 'Registering', direction: 'Forward' }, progress: done('Deploying') }
  const giveUp = { code: 'Cancelled', message: 'given up' }
  const undoing = stepItem(world.facts, context({ giveUp }))
  assert.deepEqual([undoing.source.direction, undoing.target?.direction], ['Undo', 'Undo'])
  world.source = { wish: undoing.source, progress: { ...done('Registering', 'Undo'), state: 'Acting' } }
  const refused = { ...failed('Registering', 'ClusterJoined', 'Undo'), evidence: { takenOver: 'true' } }
  world.target = { wish: undoing.target, progress: refused }
  const turned = stepItem(world.facts, context({ giveUp }))
  for (const wish of [turned.source, turned.target])
    assert.deepEqual([wish?.stage, wish?.direction], ['Registering', 'Forward'])
  assert.deepEqual(
    [turned.source.failure, turned.source.outcome, turned.source.cursor?.direction],
    [undefined, undefined, 'Forward'],
  )
})

test('a cluster that the target has taken over is neither given up nor out of time', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Registering', direction: 'Forward', cursor: cursorAt('Registering') },
    progress: done('Registering', 'Forward', { bundle: 'b1', digest: 'd1' }),
  }
  world.target = {
    wish: { stage: 'Registering', direction: 'Forward' },
    progress: { ...done('Registering', 'Forward', { takenOver: 'true' }), state: 'Acting' },
  }
  const giveUp = { code: 'Cancelled', message: 'given up' }
  const step = stepItem(world.facts, context({ giveUp, nowMs: Date.UTC(2027, 0, 1) }))
  assert.deepEqual([step.source.direction, step.source.failure], ['Forward', undefined])
})

test('what cannot be cleaned is a debt: the cluster has arrived all the same', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Cleaning', direction: 'Forward', cursor: cursorAt('Cleaning') },
    progress: failed('Cleaning', 'ClusterConflict'),
  }
  world.target = { wish: { stage: 'Cleaning', direction: 'Forward' }, progress: done('Cleaning') }
  const { source } = world.controller()
  assert.equal(source.outcome, 'Completed')
  assert.deepEqual(source.residue, ['ClusterConflict: ClusterConflict happened'])
})

test('a failure at any stage, on either side, at any speed, ends with nothing left done on either side', () => {
  const stage = fc.constantFrom(...STAGES.slice(1, 4))
  fc.assert(
    fc.property(stage, fc.constantFrom('source', 'target'), (at, side) => {
      const world = new PaperWorld()
      for (let i = 0; i < 60 && !world.source.wish?.outcome; i++) {
        world.controller()
        for (const who of ['source', 'target'] as const) {
          world.agent(who)
          const { progress } = world[who]
          const strikes =
            who === side && progress?.direction === 'Forward' && progress.stage === at && !world.source.wish?.failure
          if (strikes) world[who].progress = failed(at, 'Struck')
          else if (world[who].wish?.direction === 'Undo')
            world[who].progress = done(world[who].wish?.stage ?? at, 'Undo')
        }
      }
      if (at === 'Initializing' && side === 'target') return
      assert.equal(world.source.wish?.outcome, 'RolledBack')
      assert.ok(hasUndone(world.source.progress, 'Initializing'))
      assert.ok(at === 'Initializing' || hasUndone(world.target.progress, 'Deploying'))
    }),
  )
})

test('a cluster that is held comes to the end of its stage, says why it goes no further, and has a new deadline when it goes on', () => {
  const hold = { what: 'the migration to be resumed', who: 'whoever paused it' }
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Initializing', direction: 'Forward', cursor: cursorAt('Initializing') },
    progress: { ...done('Initializing'), state: 'Acting', waitsFor: 'the two-hub configuration' },
  }
  const held = { limit: 'Initializing', hold } as const
  const acting = stepItem(world.facts, context(held))
  assert.deepEqual([acting.waitsFor?.what, acting.waitsFor?.isHeld], ['the two-hub configuration', undefined])
  world.source.progress = done('Initializing')
  const late = START + 60 * MINUTE
  const standing = stepItem(world.facts, context({ ...held, nowMs: late }))
  assert.deepEqual(standing.waitsFor, { ...hold, isHeld: true })
  assert.deepEqual([standing.source.failure, standing.source.cursor?.stage], [undefined, 'Initializing'])
  const resumed = stepItem(world.facts, context({ nowMs: late }))
  assert.deepEqual(
    [resumed.source.cursor?.stage, resumed.source.cursor?.deadline],
    ['Deploying', '2026-01-01T01:05:00Z'],
  )
})

test('a cluster that is held in the middle of a stage and fails there goes back all the same', () => {
  const world = new PaperWorld()
  world.source = {
    wish: { stage: 'Initializing', direction: 'Forward', cursor: cursorAt('Initializing') },
    progress: failed('Initializing', 'Forbidden'),
  }
  const hold = { what: 'the migration to be resumed', who: 'whoever paused it' }
  const { source } = stepItem(world.facts, context({ limit: 'Initializing', hold }))
  assert.deepEqual([source.direction, source.failure?.code], ['Undo', 'Forbidden'])
})
