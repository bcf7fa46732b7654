/** What the import controller installs on a managed cluster, and how an agent reads it. Pure. */
import type { KubeObject } from '@godwit/kube'
import { parseDuration } from '../foreign/duration.ts'
import { AGENT_NAMESPACE, CURRENT_HUB_BOOTSTRAP, SINGLE_BOOTSTRAP } from '../foreign/names.ts'
import type { Klusterlet, ManifestConfig, Secret } from '../foreign/types.ts'
import { type HubKubeconfig, parseKubeconfig } from '../klusterlet/kubeconfig.ts'
import { DEFAULT_HUB_CONNECTION_TIMEOUT_MS } from '../klusterlet/new-klusterlet.ts'
import type { AgentConfig } from '../klusterlet/state.ts'

/** The import controller calls the cluster entry of its kubeconfigs so unless it knows an infrastructure id. */
export const IMPORT_CONTEXT_CLUSTER = 'default-cluster'

export interface NamedKubeconfig {
  readonly name: string
  /** Base64 of the kubeconfig, as Secrets carry it. */
  readonly data: string
}

export interface SeveralHubs {
  /** In order of preference; without the hub that renders. */
  readonly bootstraps: readonly NamedKubeconfig[]
  readonly isCurrentHubIncluded: boolean
  readonly timeoutSeconds?: number
}

export interface RenderOptions {
  readonly cluster: string
  /** Base64 of the hub's own bootstrap kubeconfig for this cluster. */
  readonly own: string
  readonly severalHubs?: SeveralHubs
  /** Go duration, for instance `60m`. */
  readonly evictionGracePeriod?: string
}

/** The manifests of work `<c>-klusterlet`. */
export function renderKlusterlet({ cluster, own, severalHubs, evictionGracePeriod }: RenderOptions): KubeObject[] {
  const bootstraps = severalHubs
    ? [
        ...severalHubs.bootstraps,
        ...(severalHubs.isCurrentHubIncluded ? [{ name: CURRENT_HUB_BOOTSTRAP, data: own }] : []),
      ]
    : [{ name: SINGLE_BOOTSTRAP, data: own }]
  const klusterlet: Klusterlet = {
    apiVersion: 'operator.open-cluster-management.io/v1',
    kind: 'Klusterlet',
    metadata: { name: 'klusterlet' },
    spec: {
      clusterName: cluster,
      namespace: AGENT_NAMESPACE,
      ...(severalHubs && { registrationConfiguration: registrationOf(bootstraps, severalHubs) }),
      ...(evictionGracePeriod && {
        workConfiguration: { appliedManifestWorkEvictionGracePeriod: evictionGracePeriod },
      }),
    },
  }
  return [...bootstraps.map(bootstrapSecret), klusterlet]
}

const registrationOf = (bootstraps: readonly NamedKubeconfig[], { timeoutSeconds }: SeveralHubs) => ({
  featureGates: [{ feature: 'MultipleHubs', mode: 'Enable' as const }],
  bootstrapKubeConfigs: {
    type: 'LocalSecrets' as const,
    localSecretsConfig: {
      kubeConfigSecrets: bootstraps.map(({ name }) => ({ name })),
      ...(timeoutSeconds && { hubConnectionTimeoutSeconds: timeoutSeconds }),
    },
  },
})

const bootstrapSecret = ({ name, data }: NamedKubeconfig): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: AGENT_NAMESPACE },
  type: 'Opaque',
  data: { kubeconfig: data },
})

/** The manifests of work `<c>-klusterlet-crds`. */
export function renderKlusterletCrds(): KubeObject[] {
  return ['klusterlets.operator', 'appliedmanifestworks.work'].map(name => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${name}.open-cluster-management.io` },
  }))
}

const PLURALS: Readonly<Record<string, string>> = {
  Secret: 'secrets',
  Klusterlet: 'klusterlets',
  CustomResourceDefinition: 'customresourcedefinitions',
}

const groupOf = ({ apiVersion }: KubeObject) => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')
const pluralOf = ({ kind }: KubeObject) => PLURALS[kind] ?? `${kind.toLowerCase()}s`

/** Names a manifest the way `manifestConfigs` must, to the letter. */
export const resourceIdentifier = (manifest: KubeObject): ManifestConfig['resourceIdentifier'] => ({
  group: groupOf(manifest),
  resource: pluralOf(manifest),
  ...(manifest.metadata.namespace && { namespace: manifest.metadata.namespace }),
  name: manifest.metadata.name,
})

/** Configs that keep the work agent from touching any of the manifests. */
export const readOnlyConfigs = (manifests: readonly KubeObject[]): ManifestConfig[] =>
  manifests.map(manifest => ({
    resourceIdentifier: resourceIdentifier(manifest),
    updateStrategy: { type: 'ReadOnly' },
  }))

/** True when a config with this exact identifier makes the manifest ReadOnly. */
export function isReadOnly(manifest: KubeObject, configs: readonly ManifestConfig[]): boolean {
  const wanted = resourceIdentifier(manifest)
  return configs.some(
    ({ resourceIdentifier: id, updateStrategy }) =>
      updateStrategy?.type === 'ReadOnly' &&
      id.group === wanted.group &&
      id.resource === wanted.resource &&
      id.name === wanted.name &&
      (id.namespace ?? '') === (wanted.namespace ?? ''),
  )
}

/** Id of a resource on the managed cluster, for instance `customresourcedefinitions/klusterlets…`. */
export const resourceId = (manifest: KubeObject) => {
  const { resource, namespace, name } = resourceIdentifier(manifest)
  return [resource, ...(namespace ? [namespace] : []), name].join('/')
}

export interface Delivery {
  readonly config?: AgentConfig
  readonly secrets: Readonly<Record<string, HubKubeconfig>>
}

/** What really applied manifests mean to the agent. Secrets that hold no kubeconfig are left out. */
export function readDelivery(manifests: readonly KubeObject[], defaultEvictionMs: number): Delivery {
  const secrets: Record<string, HubKubeconfig> = {}
  let config: AgentConfig | undefined
  for (const manifest of manifests) {
    if (manifest.kind === 'Klusterlet') config = readConfig(manifest as Klusterlet, defaultEvictionMs)
    const kubeconfig = manifest.kind === 'Secret' ? readSecret(manifest as Secret) : undefined
    if (kubeconfig) secrets[manifest.metadata.name] = kubeconfig
  }
  return { secrets, ...(config && { config }) }
}

function readSecret({ data, ...rest }: Secret): HubKubeconfig | undefined {
  const encoded = data?.['kubeconfig']
  const plain = (rest as { stringData?: Record<string, string> }).stringData?.['kubeconfig']
  const text = encoded === undefined ? plain : Buffer.from(encoded, 'base64').toString()
  return text === undefined ? undefined : parseKubeconfig(text)
}

function readConfig({ spec }: Klusterlet, defaultEvictionMs: number): AgentConfig {
  const { featureGates = [], bootstrapKubeConfigs } = spec?.registrationConfiguration ?? {}
  const isEnabled = featureGates.some(({ feature, mode }) => feature === 'MultipleHubs' && mode === 'Enable')
  const { kubeConfigSecrets = [], hubConnectionTimeoutSeconds } = bootstrapKubeConfigs?.localSecretsConfig ?? {}
  const multipleHubs = isEnabled && bootstrapKubeConfigs?.type === 'LocalSecrets'
  const period = spec?.workConfiguration?.appliedManifestWorkEvictionGracePeriod
  return {
    multipleHubs,
    bootstrapSecrets: multipleHubs ? kubeConfigSecrets.map(({ name }) => name) : [SINGLE_BOOTSTRAP],
    hubConnectionTimeoutMs: (hubConnectionTimeoutSeconds ?? 0) * 1000 || DEFAULT_HUB_CONNECTION_TIMEOUT_MS,
    evictionGraceMs: (period && parseDuration(period)) || defaultEvictionMs,
  }
}
