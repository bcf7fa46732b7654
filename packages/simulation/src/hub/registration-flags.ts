import type { Cancel } from '@godwit/ports'
import { AUTO_APPROVAL_GATE, CLUSTER_MANAGER } from '../foreign/names.ts'
import type { HubKnobs, Ports } from './context.ts'
import type { HubView } from './hub-view.ts'

export interface Flags {
  readonly isAutoApproving: boolean
  readonly users: ReadonlySet<string>
}

/** The ClusterManager's registration settings as the running Deployment has them: a change takes a rollout. */
export class RegistrationFlags {
  readonly #view: HubView
  readonly #ports: Ports
  readonly #delayMs: number
  readonly #listeners = new Set<() => void>()
  #flags: Flags = { isAutoApproving: false, users: new Set() }
  #unsubscribe: (() => void) | undefined
  #cancel: Cancel | undefined

  constructor(view: HubView, ports: Ports, knobs: HubKnobs) {
    this.#view = view
    this.#ports = ports
    this.#delayMs = knobs.clusterManagerRolloutMs
  }

  get current(): Flags {
    return this.#flags
  }

  /** Takes what is configured now at once, later changes after the rollout. */
  start(): void {
    this.#read()
    this.#unsubscribe = this.#view.clusterManagers.onChange(() => {
      this.#cancel?.()
      this.#cancel = this.#ports.clock.after(this.#delayMs, () => this.#read())
    })
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#cancel?.()
  }

  onRollout(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #read(): void {
    const manager = this.#view.clusterManagers.get({ name: CLUSTER_MANAGER })
    const { featureGates = [], autoApproveUsers = [] } = manager?.spec?.registrationConfiguration ?? {}
    const gate = featureGates.find(each => each.feature === AUTO_APPROVAL_GATE)
    this.#flags = { isAutoApproving: gate?.mode === 'Enable', users: new Set(autoApproveUsers) }
    for (const listener of this.#listeners) listener()
  }
}
