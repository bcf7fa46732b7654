/** One running klusterlet: its state, its history, and how it gets to its hubs. */
import type { KubeClient } from '@godwit/kube'
import { type Random, seededRandom } from '@godwit/ports'
import { agentGroups, agentUser } from '../foreign/names.ts'
import type { HubView } from '../hub/hub-view.ts'
import { hubOf, labelOf } from './label.ts'
import type { Credential, KlusterletState, Label } from './state.ts'

/** Older entries are dropped. */
const MAX_HISTORY = 64

export interface HistoryEntry {
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly label: Label
  /** Name of the hub, when there is one in this state. */
  readonly hub?: string
}

/** A hub that cannot be reached from this cluster, or that nobody knows. */
export class UnreachableHub extends Error {
  override readonly name = 'UnreachableHub'
}

export class Agent {
  readonly name: string
  readonly history: HistoryEntry[] = []
  readonly #random: Random
  readonly #hubs: ReadonlyMap<string, HubView>
  #identity: { readonly credential: Credential; readonly client: KubeClient } | undefined
  state: KlusterletState
  /** Name of the request for a follow-up certificate, while one is awaited. */
  rotation: string | undefined

  /** @param hubs by server URL */
  constructor(state: KlusterletState, hubs: ReadonlyMap<string, HubView>, seed: number) {
    this.name = state.cluster
    this.state = state
    this.#hubs = hubs
    this.#random = seededRandom(seed)
  }

  get label(): Label {
    return labelOf(this.state)
  }

  /** The hub it is connected to or bootstraps with, even if out of reach. */
  get hub(): HubView | undefined {
    const server = hubOf(this.state)
    return server === undefined ? undefined : this.#hubs.get(server)
  }

  /** The hub it is connected to and can reach. */
  get connectedHub(): HubView | undefined {
    const { hub } = this
    return this.state.process.at === 'connected' && hub && this.canReach(hub) ? hub : undefined
  }

  canReach(hub: HubView): boolean {
    return !this.state.knobs.unreachableHubs.includes(hub.access.name)
  }

  /** True with the given probability. */
  draws(probability: number): boolean {
    return probability > 0 && this.#random.next() < probability
  }

  /** Client under the bootstrap's token. Throws `UnreachableHub`. */
  bootstrapClient(secret: string): KubeClient {
    const bootstrap = this.state.secrets[secret]
    const hub = bootstrap && this.#reach(bootstrap.server)
    if (!hub) throw new UnreachableHub(`no way to the hub of ${secret}`)
    if (bootstrap.token === undefined) return this.identityClient()
    return hub.access.client.as({ token: bootstrap.token })
  }

  /** Client under the certificate's identity. Throws `UnreachableHub`. */
  identityClient(): KubeClient {
    const { credential } = this.state
    const hub = credential && this.#reach(credential.server)
    if (!hub) throw new UnreachableHub('no way to the hub of the client certificate')
    if (this.#identity?.credential !== credential) {
      const { user, groups } = credential
      this.#identity = {
        credential,
        client: hub.access.client.as({ user, groups: [...groups, 'system:authenticated'] }),
      }
    }
    return this.#identity.client
  }

  /** Subject of its client certificates. */
  get subject(): { readonly user: string; readonly groups: readonly string[] } {
    return { user: agentUser(this.name, this.state.agentId), groups: agentGroups(this.name) }
  }

  /** Notes the present label and hub if they are new. */
  remember(atMs: number): void {
    const { label } = this
    const hub = this.hub?.access.name
    const last = this.history.at(-1)
    if (last && last.label === label && last.hub === hub) return
    this.history.push({ atMs, label, ...(hub && { hub }) })
    if (this.history.length > MAX_HISTORY) this.history.shift()
  }

  #reach(server: string): HubView | undefined {
    const hub = this.#hubs.get(server)
    return hub && this.canReach(hub) ? hub : undefined
  }
}
