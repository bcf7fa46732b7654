/** What the foreign controllers and the klusterlets of one hub see: one watch per kind, shared by all of them. */
import { Informer, type KubeObject, type Resource, resources } from '@godwit/kube'
import { ENGINE_NAMESPACE, LEASE_NAME, labels } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type {
  CertificateSigningRequest,
  ClusterManager,
  ClusterRole,
  KlusterletConfig,
  Lease,
  ManagedCluster,
  ManagedClusterAddOn,
  ManifestWork,
  OpenObject,
  Secret,
} from '../foreign/types.ts'
import type { HubAccess, Ports } from './context.ts'

const BY_CLUSTER = 'cluster'

interface Scope {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** Thousands of objects are cached: what nobody reads is dropped. */
function lean<T extends KubeObject>(object: T): T {
  const { managedFields: _managers, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown }
  return { ...object, metadata }
}

const withoutWorkload = (work: ManifestWork): ManifestWork => {
  const { workload: _heavy, ...spec } = work.spec
  return lean({ ...work, spec })
}

const metadataOnly = <T extends KubeObject>({ apiVersion, kind, metadata }: T) => lean({ apiVersion, kind, metadata })

export class HubView {
  readonly access: HubAccess
  readonly managedClusters: Informer<ManagedCluster>
  /** Without their workload. */
  readonly manifestWorks: Informer<ManifestWork>
  readonly leases: Informer<Lease>
  readonly csrs: Informer<CertificateSigningRequest>
  /** Of managed clusters only. */
  readonly clusterRoles: Informer<ClusterRole>
  /** Of managed clusters only, metadata only. */
  readonly clusterRoleBindings: Informer<KubeObject>
  /** Of managed clusters only, metadata only. */
  readonly roleBindings: Informer<KubeObject>
  /** Import Secrets, metadata only. */
  readonly importSecrets: Informer<KubeObject>
  /** Of managed clusters only, metadata only. */
  readonly namespaces: Informer<KubeObject>
  readonly addOns: Informer<ManagedClusterAddOn>
  readonly clusterManagers: Informer<ClusterManager>
  readonly klusterletConfigs: Informer<KlusterletConfig>
  readonly clusterDeployments: Informer<OpenObject>
  readonly bareMetalHosts: Informer<OpenObject>
  /** Of the engine's namespace: bootstraps that a KlusterletConfig may name. */
  readonly engineSecrets: Informer<Secret>
  readonly #all: Informer<KubeObject>[] = []

  constructor(access: HubAccess, ports: Ports) {
    this.access = access
    const { client } = access
    const informer = <T extends KubeObject>(resource: Resource, transform: (object: T) => T, scope: Scope = {}) => {
      const made = new Informer<T>({ client, resource, transform, ...scope, ...ports })
      this.#all.push(made as unknown as Informer<KubeObject>)
      return made
    }
    const ofClusters = { labelSelector: labels.clusterName }
    this.managedClusters = informer<ManagedCluster>(foreign.managedClusters, lean)
    this.manifestWorks = informer<ManifestWork>(foreign.manifestWorks, withoutWorkload)
    this.leases = informer<Lease>(resources.leases, lean, { fieldSelector: `metadata.name=${LEASE_NAME}` })
    this.csrs = informer<CertificateSigningRequest>(resources.certificateSigningRequests, lean, ofClusters)
    this.clusterRoles = informer<ClusterRole>(resources.clusterRoles, lean, ofClusters)
    this.clusterRoleBindings = informer<KubeObject>(resources.clusterRoleBindings, metadataOnly, ofClusters)
    this.csrs.addIndex(BY_CLUSTER, ({ metadata }) => {
      const cluster = metadata.labels?.[labels.clusterName]
      return cluster === undefined ? [] : [cluster]
    })
    this.roleBindings = informer<KubeObject>(resources.roleBindings, metadataOnly, ofClusters)
    this.importSecrets = informer<KubeObject>(resources.secrets, metadataOnly, { labelSelector: labels.importSecret })
    this.namespaces = informer<KubeObject>(resources.namespaces, metadataOnly, ofClusters)
    this.addOns = informer<ManagedClusterAddOn>(foreign.managedClusterAddOns, lean)
    this.clusterManagers = informer<ClusterManager>(foreign.clusterManagers, lean)
    this.klusterletConfigs = informer<KlusterletConfig>(foreign.klusterletConfigs, lean)
    this.clusterDeployments = informer<OpenObject>(foreign.clusterDeployments, lean)
    this.bareMetalHosts = informer<OpenObject>(foreign.bareMetalHosts, lean)
    this.engineSecrets = informer<Secret>(resources.secrets, lean, { namespace: ENGINE_NAMESPACE })
  }

  /** Certificate requests of one managed cluster. */
  csrsOf(cluster: string): readonly CertificateSigningRequest[] {
    return this.csrs.byIndex(BY_CLUSTER, cluster)
  }

  /** Resolves when every cache is filled. */
  async start(): Promise<void> {
    for (const informer of this.#all) informer.start()
    await Promise.all(this.#all.map(informer => informer.synced()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(informer => informer.stop()))
  }
}
