import { annotations, crdsWorkName, ENGINE_NAMESPACE, importSecretName, klusterletWorkName } from '../foreign/names.ts'
import type { ManagedCluster } from '../foreign/types.ts'
import type { HubKnobs } from '../hub/context.ts'
import type { HubView } from '../hub/hub-view.ts'
import { configNamesOf, secretNamesOf } from './klusterlet-config.ts'

/** What one look at a cluster was made from and left behind. */
export interface SettledImport {
  readonly inputs: string
  /** resourceVersion of the import Secret. */
  readonly secretVersion: string | undefined
  /** Of the definitions' work and of the klusterlet's. */
  readonly generations: readonly (number | undefined)[]
}

/**
 * Remembers which clusters have just what they should, by versions of everything that goes in and comes out: the real
 * controller compares in its caches, and ours holds too many clusters to cache their whole manifests.
 */
export class SettledImports {
  readonly #view: HubView
  readonly #mode: HubKnobs['importControllerMode']
  readonly #settled = new Map<string, SettledImport>()

  constructor(view: HubView, knobs: HubKnobs) {
    this.#view = view
    this.#mode = knobs.importControllerMode
  }

  /** Whether nothing that matters has changed since the last look, as far as the caches show. */
  has(cluster: ManagedCluster): boolean {
    const { name } = cluster.metadata
    const last = this.#settled.get(name)
    if (!last) return false
    const secret = this.#view.importSecrets.get({ name: importSecretName(name), namespace: name })
    const works = [crdsWorkName(name), klusterletWorkName(name)].map(
      work => this.#view.manifestWorks.get({ name: work, namespace: name })?.metadata.generation,
    )
    return (
      secret?.metadata.resourceVersion === last.secretVersion &&
      works.every((generation, index) => generation === last.generations[index]) &&
      this.inputsOf(cluster) === last.inputs
    )
  }

  /** Everything that the manifests of a cluster are made from, as versions. */
  inputsOf(cluster: ManagedCluster): string {
    const view = this.#view
    const { uid, annotations: own } = cluster.metadata
    const configs = configNamesOf(cluster).map(name => view.klusterletConfigs.get({ name }))
    const secrets = configs.flatMap(config => (config ? secretNamesOf(config) : []))
    const versions = [
      ...configs.map(config => config?.metadata),
      ...secrets.map(name => view.engineSecrets.get({ name, namespace: ENGINE_NAMESPACE })?.metadata),
    ].map(metadata => `${metadata?.uid}@${metadata?.resourceVersion}`)
    const isHandsOff = this.#mode !== 'legacy' && own?.[annotations.disableAutoImport] !== undefined
    return JSON.stringify([uid, isHandsOff, secrets, versions])
  }

  remember(cluster: ManagedCluster, settled: SettledImport): void {
    this.#settled.set(cluster.metadata.name, settled)
  }

  forget(name: string): void {
    this.#settled.delete(name)
  }
}
