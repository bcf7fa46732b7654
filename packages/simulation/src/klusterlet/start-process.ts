/** What an agent process does first: choose a hub, and either reuse its certificate or ask for one. */
import { HUB_KUBECONFIG } from '../foreign/names.ts'
import { connectWorks } from './applied-works.ts'
import type { HubKubeconfig } from './kubeconfig.ts'
import type { Credential, KlusterletState, Step } from './state.ts'

/** The agent refuses to start with several hubs enabled and fewer bootstraps than this. */
const FEWEST_BOOTSTRAPS = 2

/** The agent process ends and starts again after the restart delay. */
export function restart(state: KlusterletState, now: number): Step {
  const process = {
    at: 'down',
    run: state.process.run + 1,
    untilMs: now + state.knobs.restartDelayMs,
    crashes: 0,
  } as const
  return { state: { ...state, process }, actions: [] }
}

/** The agent process ends with an error and is started again by the kubelet, ever later. */
export function crash(state: KlusterletState, now: number): Step {
  const { process, knobs } = state
  const crashes = process.at === 'down' || process.at === 'selecting' ? process.crashes : 0
  const delayMs = Math.min(knobs.crashLoopMaxMs, knobs.crashLoopFirstMs * 2 ** Math.min(crashes, 20))
  const down = { at: 'down', run: process.run + 1, untilMs: now + delayMs, crashes: crashes + 1 } as const
  return { state: { ...state, process: down }, actions: [] }
}

/** The process that was down comes up. */
export function start(state: KlusterletState, now: number): Step {
  const { config, process } = state
  const crashes = process.at === 'down' ? process.crashes : 0
  const selecting: KlusterletState = { ...state, process: { at: 'selecting', run: process.run, crashes } }
  if (!config.multipleHubs) {
    const [only] = config.bootstrapSecrets
    return only === undefined ? crash(selecting, now) : enter(selecting, only, now)
  }
  const candidates = candidatesOf(state)
  if (config.bootstrapSecrets.length < FEWEST_BOOTSTRAPS) return crash(selecting, now)
  return { state: selecting, actions: [{ type: 'select', run: process.run, candidates }] }
}

/** The present hub's bootstrap first, then all in configured order. */
function candidatesOf({ config, secrets, credential }: KlusterletState): readonly string[] {
  const names = config.bootstrapSecrets.filter(name => secrets[name])
  const matched = credential && names.find(name => secrets[name]?.server === credential.server)
  return matched === undefined ? names : [matched, ...names.filter(name => name !== matched)]
}

/** Goes on with the chosen bootstrap. */
export function enter(state: KlusterletState, secret: string, now: number): Step {
  const bootstrap = state.secrets[secret]
  if (!bootstrap) return crash(state, now)
  if (state.credential && isReusable(state.credential, bootstrap, now)) return connect(state, state.credential, now)
  const { run } = state.process
  return {
    state: { ...state, process: { at: 'bootstrapping', run, secret } },
    actions: [{ type: 'request', run, secret }],
  }
}

/** A hub kubeconfig is kept only if it agrees with the bootstrap in every part that names the hub. */
export function isReusable(credential: Credential, bootstrap: HubKubeconfig, now: number): boolean {
  return (
    credential.server === bootstrap.server &&
    credential.caHash === bootstrap.caHash &&
    credential.contextCluster === bootstrap.contextCluster &&
    credential.expiresAtMs > now
  )
}

/** The agent works with this hub from now on. */
export function connect(state: KlusterletState, credential: Credential, now: number): Step {
  const { config, knobs, works } = state
  const { run } = state.process
  return {
    state: {
      ...withCredential(state, credential),
      works: connectWorks(works, credential.server, now + config.evictionGraceMs),
      process: {
        at: 'connected',
        run,
        sinceMs: now,
        ...(config.multipleHubs && { checkAtMs: now + knobs.timeoutCheckPeriodMs }),
        rotateAtMs: rotationOf(credential, knobs.leaseJitter),
      },
    },
    actions: [{ type: 'syncHub', run }],
  }
}

/** Stores the certificate; the Secret it lives in may itself be named as a bootstrap. */
export function withCredential(state: KlusterletState, credential: Credential): KlusterletState {
  const { server, caHash, contextCluster } = credential
  const secrets = { ...state.secrets, [HUB_KUBECONFIG]: { server, caHash, contextCluster } }
  return { ...state, credential, secrets }
}

/** Certificates are renewed when 20–25 % of their life is left; epoch milliseconds. */
export function rotationOf({ issuedAtMs, expiresAtMs }: Credential, jitter: number): number {
  return expiresAtMs - (expiresAtMs - issuedAtMs) * (0.2 + jitter / 5)
}
