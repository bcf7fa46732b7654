/** Keeps the Secret `<c>-import`: the manifests that make a cluster this hub's, or several hubs'. */
import { type KubeClient, type KubeObject, refOf, resources } from '@godwit/kube'
import {
  bootstrapBindingName,
  bootstrapServiceAccount,
  ENGINE_NAMESPACE,
  importSecretName,
  labels,
  roles,
} from '../foreign/names.ts'
import type { KlusterletConfig, ManagedCluster, RoleBinding, Secret } from '../foreign/types.ts'
import { createIfAbsent } from '../hub/ensure.ts'
import type { HubView } from '../hub/hub-view.ts'
import { requestToken } from '../hub/service-account-token.ts'
import { renderKubeconfig } from '../klusterlet/kubeconfig.ts'
import { klusterletConfigOf } from './klusterlet-config.ts'
import {
  IMPORT_CONTEXT_CLUSTER,
  type NamedKubeconfig,
  renderKlusterlet,
  renderKlusterletCrds,
  type SeveralHubs,
} from './klusterlet-manifests.ts'

/** Bootstrap tokens of the import controller live for a year. */
const TOKEN_SECONDS = 365 * 24 * 3600
const OWN_BOOTSTRAP = 'own-bootstrap'

/** Thrown when a Secret named by a KlusterletConfig is missing: the real controller reports a render error, too. */
export class RenderError extends Error {
  override readonly name = 'RenderError'
}

export interface ImportManifests {
  readonly klusterlet: readonly KubeObject[]
  readonly crds: readonly KubeObject[]
}

/** The manifests, and the resourceVersion of the Secret that holds them. */
export interface StoredManifests extends ImportManifests {
  readonly secretVersion: string | undefined
}

/** Writes the Secret if it has to change and returns what it says. Throws `RenderError`. */
export async function ensureImportSecret(view: HubView, cluster: ManagedCluster): Promise<StoredManifests> {
  const { client } = view.access
  const { name } = cluster.metadata
  const ref = { name: importSecretName(name), namespace: name }
  const present = await client.get<Secret>(resources.secrets, ref)
  const own = await ownBootstrap(view, name, present)
  const config = klusterletConfigOf(view, cluster)
  const severalHubs = config && readSeveralHubs(view, config)
  const evictionGracePeriod = config?.appliedManifestWorkEvictionGracePeriod
  const manifests: ImportManifests = {
    klusterlet: renderKlusterlet({
      cluster: name,
      own,
      ...(severalHubs && { severalHubs }),
      ...(evictionGracePeriod && { evictionGracePeriod }),
    }),
    crds: renderKlusterletCrds(),
  }
  const stored = await storeSecret(client, present, importSecret(name, own, manifests))
  return { ...manifests, secretVersion: stored.metadata.resourceVersion }
}

async function storeSecret(client: KubeClient, present: Secret | undefined, wanted: Secret): Promise<Secret> {
  if (!present) return client.create(resources.secrets, wanted)
  if (present.data?.['import.yaml'] === wanted.data?.['import.yaml']) return present
  return client.patch<Secret>(resources.secrets, refOf(wanted), { data: wanted.data ?? {} })
}

const encode = (text: string) => Buffer.from(text).toString('base64')
/** JSON documents are YAML documents. */
const encodeManifests = (manifests: readonly KubeObject[]) =>
  encode(manifests.map(manifest => JSON.stringify(manifest)).join('\n---\n'))

function importSecret(cluster: string, own: string, { klusterlet, crds }: ImportManifests): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: importSecretName(cluster),
      namespace: cluster,
      labels: { [labels.importSecret]: '' },
    },
    type: 'Opaque',
    data: { 'import.yaml': encodeManifests(klusterlet), 'crds.yaml': encodeManifests(crds), [OWN_BOOTSTRAP]: own },
  }
}

/** Base64 of the kubeconfig with which this hub lets the cluster bootstrap; made once per ServiceAccount. */
async function ownBootstrap(view: HubView, cluster: string, present: Secret | undefined): Promise<string> {
  const { client, server, caData } = view.access
  const account = { name: bootstrapServiceAccount(cluster), namespace: cluster }
  const isNew = await createIfAbsent(client, resources.serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: account,
  })
  await ensureBootstrapBinding(view, cluster)
  const known = present?.data?.[OWN_BOOTSTRAP]
  if (known && !isNew) return known
  const { token } = await requestToken(client, account, TOKEN_SECONDS)
  return encode(renderKubeconfig({ server, caData, token, contextCluster: IMPORT_CONTEXT_CLUSTER }))
}

async function ensureBootstrapBinding({ access: { client } }: HubView, cluster: string): Promise<void> {
  const binding: RoleBinding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: bootstrapBindingName(cluster) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roles.bootstrapAcm },
    subjects: [{ kind: 'ServiceAccount', name: bootstrapServiceAccount(cluster), namespace: cluster }],
  }
  await createIfAbsent(client, resources.clusterRoleBindings, binding)
}

function readSeveralHubs(view: HubView, config: NonNullable<KlusterletConfig['spec']>): SeveralHubs | undefined {
  const modern = config.multipleHubsConfig
  const bootstraps = modern?.bootstrapKubeConfigs ?? config.bootstrapKubeConfigs
  if (bootstraps?.type !== 'LocalSecrets') return undefined
  const { kubeConfigSecrets = [], hubConnectionTimeoutSeconds } = bootstraps.localSecretsConfig ?? {}
  return {
    bootstraps: kubeConfigSecrets.map(({ name }) => readBootstrap(view, name)),
    // The old shape knows no strategy: the current hub is always added.
    isCurrentHubIncluded: !modern || modern.genBootstrapKubeConfigStrategy === 'IncludeCurrentHub',
    ...(hubConnectionTimeoutSeconds && { timeoutSeconds: hubConnectionTimeoutSeconds }),
  }
}

function readBootstrap(view: HubView, name: string): NamedKubeconfig {
  const secret = view.engineSecrets.get({ name, namespace: ENGINE_NAMESPACE })
  const data = secret?.data?.['kubeconfig']
  if (!data) throw new RenderError(`bootstrap Secret ${name} is missing or has no kubeconfig`)
  return { name, data }
}
