/** The klusterlet as a pure function. It never looks at a clock, a hub or a dice: everything comes in as arguments. */

import { SINGLE_BOOTSTRAP } from '../foreign/names.ts'
import {
  applyWork,
  evictDue,
  missWork,
  nextEviction,
  type Released,
  releaseWork,
  removesKlusterlet,
} from './applied-works.ts'
import { connect, crash, enter, restart, rotationOf, start, withCredential } from './start-process.ts'
import type { Action, AgentConfig, AgentProcess, ClusterView, KlusterletState, Observation, Step } from './state.ts'

type Connected = Extract<AgentProcess, { at: 'connected' }>

const stay = (state: KlusterletState): Step => ({ state, actions: [] })

/**
 * One transition. `now` is epoch milliseconds. Answers whose `run` is not the present process' are ignored, so are
 * observations that the present state has no use for.
 */
export function step(state: KlusterletState, observation: Observation, now: number): Step {
  if (state.process.at === 'removed') return stay(state)
  switch (observation.type) {
    case 'tick':
      return tick(state, now)
    case 'podRestarted':
      return restart(state, now)
    case 'delivered':
      return deliver(state, observation, now)
    case 'applied':
      return stay({ ...state, works: applyWork(state.works, observation.work) })
    case 'workGone':
      return loseWork(state, observation, now)
    case 'cluster':
      return seeCluster(state, observation, now)
    default:
      return observation.run === state.process.run ? answer(state, observation, now) : stay(state)
  }
}

type Answer = Extract<Observation, { run: number }>

function answer(state: KlusterletState, observation: Answer, now: number): Step {
  const { process } = state
  switch (observation.type) {
    case 'selected':
      if (process.at !== 'selecting') return stay(state)
      return observation.secret === undefined ? crash(state, now) : enter(state, observation.secret, now)
    case 'requested':
      return process.at === 'bootstrapping'
        ? stay({ ...state, process: { ...process, csr: observation.csr } })
        : stay(state)
    case 'failed':
      return retryLater(state, now)
    case 'issued':
      return takeCertificate(state, observation.credential, now)
    case 'lease':
      return process.at === 'connected' ? judgeLease(state, process, observation.renewedAtMs, now) : stay(state)
  }
}

function retryLater(state: KlusterletState, now: number): Step {
  const { process } = state
  const atMs = now + state.knobs.retryMs
  if (process.at === 'bootstrapping') {
    const { csr: _refused, ...rest } = process
    return stay({ ...state, process: { ...rest, retryAtMs: atMs } })
  }
  return process.at === 'connected' ? stay({ ...state, process: { ...process, reportAtMs: atMs } }) : stay(state)
}

function takeCertificate(state: KlusterletState, credential: KlusterletState['credential'], now: number): Step {
  if (!credential) return stay(state)
  if (state.process.at === 'bootstrapping') return connect(state, credential, now)
  if (state.process.at !== 'connected') return stay(state)
  const process = { ...state.process, rotateAtMs: rotationOf(credential, state.knobs.leaseJitter) }
  return stay({ ...withCredential(state, credential), process })
}

function tick(state: KlusterletState, now: number): Step {
  const evicted = evictDue(state.works, now)
  if (evicted.works.length < state.works.length) return tickAfterEviction(state, evicted, now)
  const { process, rollout } = state
  if (rollout && rollout.atMs <= now && isMountable(state, rollout.config)) return rollOut(state, rollout.config, now)
  switch (process.at) {
    case 'down':
      return process.untilMs <= now ? start(state, now) : stay(state)
    case 'bootstrapping':
      return process.retryAtMs !== undefined && process.retryAtMs <= now ? requestAgain(state, process) : stay(state)
    case 'connected':
      return tickConnected(state, process, now)
    default:
      return stay(state)
  }
}

function tickAfterEviction(state: KlusterletState, evicted: Released, now: number): Step {
  const next = release(state, evicted)
  return next.process.at === 'removed' ? stay(next) : tick(next, now)
}

function requestAgain(state: KlusterletState, process: Extract<AgentProcess, { at: 'bootstrapping' }>): Step {
  const { retryAtMs: _due, ...rest } = process
  return {
    state: { ...state, process: rest },
    actions: [{ type: 'request', run: process.run, secret: process.secret }],
  }
}

/** A bootstrap Secret that is missing blocks the new pod; the old one goes on. */
function isMountable(state: KlusterletState, config: AgentConfig): boolean {
  return config.bootstrapSecrets.every(name => state.secrets[name])
}

function rollOut({ rollout: _done, ...state }: KlusterletState, config: AgentConfig, now: number): Step {
  const isSplitting = config.multipleHubs && !state.config.multipleHubs && state.process.at === 'connected'
  const origin = (isSplitting && state.credential?.server) || state.origin
  return restart({ ...state, config, origin }, now)
}

function tickConnected(state: KlusterletState, process: Connected, now: number): Step {
  const { run } = process
  if (state.credential && state.credential.expiresAtMs <= now) return restart(state, now)
  const actions: Action[] = []
  let next = process
  if (next.cluster && next.renewAtMs !== undefined && next.renewAtMs <= now) {
    actions.push({ type: 'renewLease', run })
    next = { ...next, renewAtMs: renewalAfter(state, next.cluster, now) }
  }
  if (next.checkAtMs !== undefined && next.checkAtMs <= now) {
    actions.push({ type: 'readLease', run })
    next = { ...next, checkAtMs: now + state.knobs.timeoutCheckPeriodMs }
  }
  if (next.reportAtMs !== undefined && next.reportAtMs <= now) {
    const { reportAtMs: _due, ...rest } = next
    next = rest
    if (needsReport(next)) actions.push({ type: 'report', run })
  }
  if (next.rotateAtMs <= now) {
    actions.push({ type: 'rotate', run })
    next = { ...next, rotateAtMs: now + state.knobs.retryMs }
  }
  return { state: { ...state, process: next }, actions }
}

const renewalAfter = (state: KlusterletState, cluster: ClusterView, now: number) =>
  now + cluster.leaseDurationMs * (1 + state.knobs.leaseJitter)

const needsReport = ({ cluster }: Connected) =>
  cluster?.hubAcceptsClient === true && cluster.isHubAccepted && !(cluster.isJoined && cluster.isAvailable)

function seeCluster(state: KlusterletState, observation: Extract<Observation, { type: 'cluster' }>, now: number): Step {
  const { process } = state
  if (process.at !== 'connected' || observation.server !== state.credential?.server) return stay(state)
  const { cluster: before, renewAtMs, ...rest } = process
  const { cluster } = observation
  if (!cluster) return stay({ ...state, process: rest })
  // Only an agent that knows several hubs takes refusal as a reason to look for another one.
  if (!cluster.hubAcceptsClient && state.config.multipleHubs) return restart(state, now)
  if (!cluster.isHubAccepted) return stay({ ...state, process: { ...rest, cluster } })
  const isNewlyAccepted = !(before?.isHubAccepted && before.hubAcceptsClient)
  const isRenewalDue = isNewlyAccepted || renewAtMs === undefined
  const next: Connected = {
    ...rest,
    cluster,
    renewAtMs: isRenewalDue ? renewalAfter(state, cluster, now) : renewAtMs,
  }
  const isReportDue = needsReport(next) && next.reportAtMs === undefined
  // The lease comes first: with a stale one the hub would take back at once what is reported.
  const actions: Action[] = [
    ...(isRenewalDue ? [{ type: 'renewLease', run: next.run } as const] : []),
    ...(isReportDue ? [{ type: 'report', run: next.run } as const] : []),
  ]
  return { state: { ...state, process: next }, actions }
}

function judgeLease(state: KlusterletState, process: Connected, renewedAtMs: number | undefined, now: number): Step {
  const { leaseUnreadableSinceMs: failingSince, ...rest } = process
  const localNow = now + state.knobs.clockSkewMs
  const reference = renewedAtMs ?? failingSince ?? localNow
  const isStale = localNow - reference > state.config.hubConnectionTimeoutMs
  const isGrace = now - process.sinceMs < state.knobs.graceAfterStartMs
  if (isStale && !isGrace && state.config.multipleHubs) return restart(state, now)
  const next: Connected = renewedAtMs === undefined ? { ...rest, leaseUnreadableSinceMs: reference } : rest
  return stay({ ...state, process: next })
}

function deliver(
  state: KlusterletState,
  { secrets, config }: Extract<Observation, { type: 'delivered' }>,
  now: number,
): Step {
  const before = state.secrets[SINGLE_BOOTSTRAP]
  const merged: KlusterletState = { ...state, secrets: { ...state.secrets, ...secrets } }
  const wanted = config && effectiveConfig(state, config)
  const planned = state.rollout?.config ?? state.config
  if (wanted && !isEqual(wanted, planned)) {
    const atMs = now + state.knobs.rolloutDelayMs
    return stay({ ...merged, rollout: { config: wanted, atMs } })
  }
  // The agent watches this one Secret; a change of any other bootstrap is seen at the next start only.
  const after = merged.secrets[SINGLE_BOOTSTRAP]
  // A token that was never seen before belongs to a cluster whose life began before the simulation did.
  return !merged.rollout && before?.token && !isEqual(before, after) ? restart(merged, now) : stay(merged)
}

/** What this agent makes of a configuration: one too old to know several hubs keeps to its single bootstrap. */
function effectiveConfig(state: KlusterletState, config: AgentConfig): AgentConfig {
  const { knobs } = state
  const timed = { ...config, hubConnectionTimeoutMs: knobs.hubConnectionTimeoutMs ?? config.hubConnectionTimeoutMs }
  if (knobs.multipleHubs || !config.multipleHubs) return timed
  return { ...timed, multipleHubs: false, bootstrapSecrets: [SINGLE_BOOTSTRAP] }
}

const isEqual = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right)

function loseWork(state: KlusterletState, observation: Extract<Observation, { type: 'workGone' }>, now: number): Step {
  const { server, work, how } = observation
  if (how === 'deleted') return stay(release(state, releaseWork(state.works, server, work)))
  return stay({ ...state, works: missWork(state.works, server, work, now + state.config.evictionGraceMs) })
}

function release(state: KlusterletState, released: Released): KlusterletState {
  const next = { ...state, works: released.works }
  if (!removesKlusterlet(released.deleted)) return next
  return { ...next, process: { at: 'removed', run: state.process.run + 1 } }
}

/** When `step` must be called with a tick next, in epoch milliseconds; undefined: only on an observation. */
export function nextWake(state: KlusterletState): number | undefined {
  const { process, rollout } = state
  if (process.at === 'removed') return undefined
  const moments = [nextEviction(state.works)]
  if (rollout && isMountable(state, rollout.config)) moments.push(rollout.atMs)
  if (process.at === 'down') moments.push(process.untilMs)
  if (process.at === 'bootstrapping') moments.push(process.retryAtMs)
  if (process.at === 'connected')
    moments.push(
      process.renewAtMs,
      process.checkAtMs,
      process.reportAtMs,
      process.rotateAtMs,
      state.credential?.expiresAtMs,
    )
  const known = moments.filter(moment => moment !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}
