import { annotations, labels } from '../foreign/names.ts'
import type { KlusterletConfig, ManagedCluster } from '../foreign/types.ts'
import type { HubView } from '../hub/hub-view.ts'

/** Applies to every cluster, beneath the one that a cluster names. */
const GLOBAL = 'global'

/** Names of the KlusterletConfigs that apply to a cluster; the later goes before the earlier. */
export function configNamesOf({ metadata }: ManagedCluster): readonly string[] {
  if (metadata.labels?.[labels.localCluster] === 'true') return []
  const own = metadata.annotations?.[annotations.klusterletConfig]
  return [GLOBAL, ...(own ? [own] : [])]
}

/** Names of the bootstrap Secrets that a KlusterletConfig uses. */
export const secretNamesOf = ({ spec }: KlusterletConfig): readonly string[] =>
  [spec?.multipleHubsConfig?.bootstrapKubeConfigs, spec?.bootstrapKubeConfigs].flatMap(
    each => each?.localSecretsConfig?.kubeConfigSecrets?.map(({ name }) => name) ?? [],
  )

/** What holds for a cluster; undefined for none, and for the hub's own cluster, which never gets several hubs. */
export function klusterletConfigOf(view: HubView, cluster: ManagedCluster): KlusterletConfig['spec'] {
  const merged = configNamesOf(cluster).map(name => view.klusterletConfigs.get({ name })?.spec)
  return merged.some(Boolean) ? Object.assign({}, ...merged) : undefined
}

/** Names of the clusters that a KlusterletConfig applies to. */
export const clustersOf = (view: HubView, config: string): readonly string[] =>
  view.managedClusters
    .list()
    .filter(({ metadata }) => config === GLOBAL || metadata.annotations?.[annotations.klusterletConfig] === config)
    .map(({ metadata }) => metadata.name)

/** Names of the KlusterletConfigs that use a bootstrap Secret. */
export const configsUsing = (view: HubView, secret: string): readonly string[] =>
  view.klusterletConfigs
    .list()
    .filter(config => secretNamesOf(config).includes(secret))
    .map(({ metadata }) => metadata.name)
