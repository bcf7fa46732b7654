/** Informers of one hub, and which tasks a change concerns. Facts only: what they mean is in the stage tables. */

import { Informer, type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import type { Clock, Logger, Random } from '@godwit/ports'
import {
  type CertificateSigningRequest,
  LEASE_NAME,
  type Lease,
  labels,
  type ManagedCluster,
  type ManifestWork,
  ocm,
  provisioning,
  type UnknownObject,
} from '../api/index.ts'
import { Newest } from '../record/newest.ts'

export interface HubWorldOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called with the name of each managed cluster whose world changed. */
  readonly onChange: (cluster: string) => void
}

/** Kinds that stand still while their cluster moves; a hub need not serve them. */
export const PAUSABLE: readonly Resource[] = [
  provisioning.clusterDeployments,
  provisioning.bareMetalHosts,
  provisioning.dataImages,
]

type AnyInformer = Informer<KubeObject>

export class HubWorld {
  readonly client: KubeClient
  readonly #options: HubWorldOptions
  readonly #informers = new Map<string, AnyInformer>()
  readonly #newest = new Map<string, Newest<KubeObject>>()

  constructor(options: HubWorldOptions) {
    this.#options = options
    this.client = options.client
  }

  /** Starts the informers that every hub has, and those of optional kinds that it serves now. */
  async start(signal: AbortSignal): Promise<void> {
    this.#add(ocm.managedClusters, object => object.metadata.name)
    this.#add(resources.leases, inNamespace, { fieldSelector: `metadata.name=${LEASE_NAME}` })
    this.#add(ocm.manifestWorks, inNamespace, { transform: slimWork })
    this.#add(resources.namespaces, object => object.metadata.name)
    this.#add(resources.certificateSigningRequests, object => object.metadata.labels?.[labels.clusterName], {
      transform: slimRequest,
    })
    await this.addOptionalKinds(signal)
    await Promise.all([...this.#informers.values()].map(informer => informer.synced(signal)))
  }

  /** Kinds may be installed while the agent runs: asked again whenever a migration begins. */
  async addOptionalKinds(signal: AbortSignal): Promise<void> {
    for (const resource of [...PAUSABLE, ocm.observabilityAddons]) {
      if (this.#informers.has(resource.plural) || !(await this.client.serves(resource))) continue
      await this.#add(resource, inNamespace).synced(signal)
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map(informer => informer.stop()))
  }

  cluster = (name: string) => this.#one<ManagedCluster>(ocm.managedClusters, { name })
  lease = (cluster: string) => this.#one<Lease>(resources.leases, { name: LEASE_NAME, namespace: cluster })
  work = (cluster: string) =>
    this.#one<ManifestWork>(ocm.manifestWorks, { name: `${cluster}-klusterlet`, namespace: cluster })
  namespace = (name: string) => this.#one<KubeObject>(resources.namespaces, { name })

  certificateRequests(cluster: string): CertificateSigningRequest[] {
    const informer = this.#informers.get(resources.certificateSigningRequests.plural)
    return (informer?.byIndex('cluster', cluster) ?? []) as CertificateSigningRequest[]
  }

  /** The answer to a write of this process: the informer shows it a moment later, decisions see it at once. */
  wrote(object: KubeObject): void {
    this.#newest.get(object.kind)?.wrote(object)
  }

  /** The hub has taken the deletion of this object of a kind. */
  deleting(kind: string, ref: { readonly name: string; readonly namespace?: string }, uid: string): void {
    this.#newest.get(kind)?.deleting(ref, uid)
  }

  /** Objects of an optional kind in the cluster's namespace; none where the hub does not serve the kind. */
  inNamespace(resource: Resource, cluster: string): KubeObject[] {
    return this.#newest.get(resource.kind)?.list(cluster) ?? []
  }

  #one<T extends KubeObject>(resource: Resource, ref: { readonly name: string; readonly namespace?: string }) {
    return this.#newest.get(resource.kind)?.get(ref) as T | undefined
  }

  #add(
    resource: Resource,
    clusterOf: (object: KubeObject) => string | undefined,
    extra: { readonly fieldSelector?: string; readonly transform?: (object: KubeObject) => KubeObject } = {},
  ): AnyInformer {
    const { client, clock, random, logger, onChange } = this.#options
    const informer = new Informer<KubeObject>({ client, resource, clock, random, logger, ...extra })
    informer.addIndex('cluster', object => {
      const cluster = clusterOf(object)
      return cluster === undefined ? [] : [cluster]
    })
    informer.onChange(({ object }) => {
      const cluster = clusterOf(object)
      if (cluster !== undefined) onChange(cluster)
    })
    this.#informers.set(resource.plural, informer)
    this.#newest.set(resource.kind, new Newest(informer))
    informer.start()
    return informer
  }
}

const inNamespace = (object: KubeObject) => object.metadata.namespace

/** Works carry whole CRDs; only what says which hubs a klusterlet knows is kept. */
function slimWork(object: KubeObject): KubeObject {
  const work = object as ManifestWork
  const manifests = work.spec?.workload?.manifests ?? []
  return {
    ...work,
    spec: {
      workload: { manifests: manifests.filter(isBootstrapManifest) },
      manifestConfigs: (work.spec?.manifestConfigs ?? []).map(({ updateStrategy }) => ({
        ...(updateStrategy && { updateStrategy }),
      })),
    },
    status: { conditions: work.status?.conditions ?? [] },
  } as ManifestWork
}

const isBootstrapManifest = ({ kind, metadata }: UnknownObject) =>
  kind === 'Klusterlet' || (kind === 'Secret' && metadata?.name?.startsWith('bootstrap-') === true)

/** The request itself and the certificate's content are nobody's business; that there is one is a fact. */
function slimRequest(object: KubeObject): KubeObject {
  const request = object as CertificateSigningRequest
  const { username = '', signerName = '' } = request.spec ?? {}
  return {
    ...request,
    spec: { username, signerName },
    status: { conditions: request.status?.conditions ?? [], certificate: request.status?.certificate ? 'issued' : '' },
  } as CertificateSigningRequest
}
