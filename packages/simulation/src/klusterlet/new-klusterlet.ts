import { SINGLE_BOOTSTRAP } from '../foreign/names.ts'
import type { HubKubeconfig } from './kubeconfig.ts'
import type { AgentConfig, Credential, KlusterletKnobs, KlusterletState } from './state.ts'

export const DEFAULT_HUB_CONNECTION_TIMEOUT_MS = 600_000

/** Configuration of a klusterlet that knows one hub. */
export function singleHubConfig(knobs: KlusterletKnobs): AgentConfig {
  return {
    multipleHubs: false,
    bootstrapSecrets: [SINGLE_BOOTSTRAP],
    hubConnectionTimeoutMs: knobs.hubConnectionTimeoutMs ?? DEFAULT_HUB_CONNECTION_TIMEOUT_MS,
    evictionGraceMs: knobs.evictionGraceMs,
  }
}

export interface NewKlusterlet {
  readonly cluster: string
  readonly agentId: string
  readonly knobs: KlusterletKnobs
  /** Its own bootstrap with the hub it belongs to. */
  readonly bootstrap: HubKubeconfig
  /** Given when the cluster was registered long ago. */
  readonly credential?: Credential
}

/** A klusterlet that is installed and about to start its agent. */
export function newKlusterlet({ cluster, agentId, knobs, bootstrap, credential }: NewKlusterlet): KlusterletState {
  return {
    cluster,
    agentId,
    knobs,
    origin: bootstrap.server,
    config: singleHubConfig(knobs),
    secrets: { [SINGLE_BOOTSTRAP]: bootstrap },
    ...(credential && { credential }),
    process: { at: 'down', run: 0, untilMs: 0, crashes: 0 },
    works: [],
  }
}
