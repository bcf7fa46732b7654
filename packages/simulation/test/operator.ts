/** A careful person who moves clusters by hand, with the names that Global Hub uses. */
import { type KubeClient, type KubeObject, type Resource, resources } from '@godwit/kube'
import { isTrue } from '../src/foreign/conditions.ts'
import {
  ADDON_NAMESPACE,
  AUTO_APPROVAL_GATE,
  annotations,
  CLUSTER_MANAGER,
  conditions,
  ENGINE_NAMESPACE,
  finalizers,
  klusterletWorkName,
  labels,
  roles,
} from '../src/foreign/names.ts'
import { foreign } from '../src/foreign/resources.ts'
import type {
  ClusterManager,
  KlusterletConfig,
  ManagedCluster,
  ManifestWork,
  RoleBinding,
  Secret,
} from '../src/foreign/types.ts'
import type { Fleet } from '../src/index.ts'
import { renderKubeconfig } from '../src/klusterlet/kubeconfig.ts'
import { eventually, type Pause } from './eventually.ts'

type Content = KubeObject & { spec?: unknown; status?: unknown; data?: unknown }

const rbac = 'rbac.authorization.k8s.io'

export class Operator {
  readonly fleet: Fleet
  readonly names: readonly string[]
  readonly from: string
  readonly to: string
  readonly migration = 'by-hand'

  readonly #pause: Pause | undefined

  /** @param pause how to wait a little; default: in real time */
  constructor(fleet: Fleet, names: readonly string[], [from, to]: readonly [string, string], pause?: Pause) {
    this.#pause = pause
    this.fleet = fleet
    this.names = names
    this.from = from
    this.to = to
  }

  /** Waits for a fact. */
  async until(what: string, isTrue: () => Promise<boolean> | boolean, explain?: () => unknown): Promise<void> {
    await eventually(what, isTrue, { ...(explain && { explain }), ...(this.#pause && { pause: this.#pause }) })
  }

  get source(): KubeClient {
    return this.fleet.client(this.from)
  }

  get target(): KubeClient {
    return this.fleet.client(this.to)
  }

  /** A short-lived identity on the target, as a kubeconfig in base64. */
  async makeCredential(): Promise<string> {
    const { globalClient } = this.fleet
    const ref = { name: this.migration, namespace: this.to }
    await globalClient.create(foreign.managedServiceAccounts, {
      apiVersion: 'authentication.open-cluster-management.io/v1beta1',
      kind: 'ManagedServiceAccount',
      metadata: { ...ref, labels: { owner: 'managedclustermigration' } },
      spec: { rotation: { enabled: true, validity: '24h' } },
    } as KubeObject)
    let secret: Secret | undefined
    await this.until('the token is reported', async () => {
      secret = await globalClient.get<Secret>(resources.secrets, ref)
      return secret !== undefined
    })
    const hub = await globalClient.get<ManagedCluster>(foreign.managedClusters, { name: this.to })
    const kubeconfig = renderKubeconfig({
      server: hub?.spec.managedClusterClientConfigs?.[0]?.url ?? '',
      caData: secret?.data?.['ca.crt'] ?? '',
      contextCluster: this.to,
      token: Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString(),
    })
    return Buffer.from(kubeconfig).toString('base64')
  }

  /** Lets the migration's identity register clusters on the target. */
  async openTarget(role: string = roles.bootstrapAcm): Promise<void> {
    const manager = await this.target.get<ClusterManager>(foreign.clusterManagers, { name: CLUSTER_MANAGER })
    const gates = manager?.spec?.registrationConfiguration?.featureGates ?? []
    const others = gates.filter(gate => gate.feature !== AUTO_APPROVAL_GATE)
    const registrationConfiguration = {
      featureGates: [...others, { feature: AUTO_APPROVAL_GATE, mode: 'Enable' }],
      autoApproveUsers: [`system:serviceaccount:${ADDON_NAMESPACE}:${this.migration}`],
    }
    await this.target.patch(foreign.clusterManagers, { name: CLUSTER_MANAGER }, { spec: { registrationConfiguration } })
    await this.target.create<RoleBinding>(resources.clusterRoleBindings, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: `global-hub-migration-${this.migration}-registration` },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: this.migration, namespace: ADDON_NAMESPACE }],
    })
  }

  /** Tells the source's import controller about the second hub. */
  async announceTarget(kubeconfig: string): Promise<void> {
    await this.source.create<Secret>(resources.secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-${this.to}`, namespace: ENGINE_NAMESPACE },
      type: 'Opaque',
      data: { kubeconfig },
    })
    await this.source.create<KlusterletConfig>(foreign.klusterletConfigs, {
      apiVersion: 'config.open-cluster-management.io/v1alpha1',
      kind: 'KlusterletConfig',
      metadata: { name: `migration-${this.to}` },
      spec: {
        multipleHubsConfig: {
          genBootstrapKubeConfigStrategy: 'IncludeCurrentHub',
          bootstrapKubeConfigs: {
            type: 'LocalSecrets',
            localSecretsConfig: { kubeConfigSecrets: [{ name: `bootstrap-${this.to}` }] },
          },
        },
      },
    })
    const chosen = { [annotations.klusterletConfig]: `migration-${this.to}`, [annotations.migrating]: '' }
    await this.annotate(this.source, chosen)
  }

  async annotate(client: KubeClient, wanted: Readonly<Record<string, string | null>>): Promise<void> {
    for (const name of this.names)
      await client.patch(foreign.managedClusters, { name }, { metadata: { annotations: wanted } })
  }

  /** The two-hub configuration is on every cluster when the work that carries it is applied as it is now. */
  async untilDelivered(): Promise<void> {
    for (const name of this.names)
      await this.until(`${name} got the two-hub configuration`, () => this.#isDelivered(name))
  }

  async #isDelivered(name: string): Promise<boolean> {
    const work = await this.source.get<ManifestWork>(foreign.manifestWorks, {
      name: klusterletWorkName(name),
      namespace: name,
    })
    const applied = work?.status?.conditions?.find(condition => condition.type === conditions.applied)
    const isCurrent = applied?.status === 'True' && applied.observedGeneration === work?.metadata.generation
    const manifests = work?.spec.workload?.manifests ?? []
    return isCurrent && manifests.some(manifest => manifest.metadata.name === `bootstrap-${this.to}`)
  }

  /** Copies the clusters to the target, accepted there. Auto-import stays off. */
  async copyToTarget(kinds: readonly Resource[]): Promise<void> {
    for (const name of this.names) {
      await this.target.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      const cluster = await this.source.get<ManagedCluster>(foreign.managedClusters, { name })
      if (!cluster) throw new Error(`no cluster ${name}`)
      const {
        [annotations.klusterletConfig]: _config,
        [annotations.migrating]: _mark,
        ...kept
      } = cluster.metadata.annotations ?? {}
      await this.target.create<ManagedCluster>(foreign.managedClusters, {
        apiVersion: cluster.apiVersion,
        kind: cluster.kind,
        metadata: { name, labels: cluster.metadata.labels ?? {}, annotations: kept },
        spec: { hubAcceptsClient: true, leaseDurationSeconds: cluster.spec.leaseDurationSeconds ?? 60 },
      })
      for (const kind of kinds) await this.#copyKind(kind, name)
    }
  }

  async #copyKind(resource: Resource, namespace: string): Promise<void> {
    const { items } = await this.source.list<Content>(resource, { namespace })
    for (const { status, metadata, ...item } of items) {
      if (metadata.labels?.[labels.importSecret] !== undefined || metadata.name === 'kube-root-ca.crt') continue
      const { [annotations.hivePause]: _hive, [annotations.metal3Pause]: _metal3, ...kept } = metadata.annotations ?? {}
      await this.target.create<Content>(resource, {
        ...item,
        metadata: { name: metadata.name, namespace, labels: metadata.labels ?? {}, annotations: kept },
      })
      if (status)
        await this.target.patch(resource, { name: metadata.name, namespace }, { status }, { subresource: 'status' })
    }
  }

  async pauseProvisioning(): Promise<void> {
    const pause = async (resource: Resource, key: string) => {
      for (const namespace of this.names)
        for (const { metadata } of (await this.source.list(resource, { namespace })).items)
          await this.source.patch(
            resource,
            { name: metadata.name, namespace },
            { metadata: { annotations: { [key]: 'true' } } },
          )
    }
    await pause(foreign.clusterDeployments, annotations.hivePause)
    await pause(foreign.bareMetalHosts, annotations.metal3Pause)
  }

  async setAccepted(client: KubeClient, hubAcceptsClient: boolean): Promise<void> {
    for (const name of this.names) await client.patch(foreign.managedClusters, { name }, { spec: { hubAcceptsClient } })
  }

  async untilAvailableOnTarget(): Promise<void> {
    for (const name of this.names)
      await this.until(
        `${name} is available on ${this.to}`,
        async () => {
          const cluster = await this.target.get<ManagedCluster>(foreign.managedClusters, { name })
          return cluster !== undefined && isTrue(cluster, conditions.available)
        },
        () => this.fleet.klusterlet(name)?.history,
      )
  }

  async untilIn(label: string, hub: string): Promise<void> {
    for (const name of this.names)
      await this.until(
        `${name} is in ${label} on ${hub}`,
        () => this.fleet.klusterlet(name)?.label === label && this.fleet.klusterlet(name)?.hub === hub,
        () => this.fleet.klusterlet(name)?.history,
      )
  }

  /** Removes the clusters from the source without anything being deprovisioned. */
  async cleanSource(): Promise<void> {
    for (const namespace of this.names) {
      for (const kind of [
        foreign.observabilityAddons,
        foreign.clusterDeployments,
        foreign.bareMetalHosts,
        resources.secrets,
      ])
        await this.#strip(kind, namespace)
      await this.source.delete(foreign.managedClusters, { name: namespace })
    }
  }

  async #strip(resource: Resource, namespace: string): Promise<void> {
    const ours: readonly string[] = Object.values(finalizers)
    for (const { metadata } of (await this.source.list(resource, { namespace })).items) {
      if (!metadata.finalizers?.some(finalizer => ours.includes(finalizer))) continue
      const ref = { name: metadata.name, namespace }
      await this.source.patch(resource, ref, { metadata: { finalizers: null } })
      if (resource !== resources.secrets) await this.source.delete(resource, ref)
    }
  }

  async untilGoneFromSource(): Promise<void> {
    for (const name of this.names)
      await this.until(`${name} is gone from ${this.from}`, async () => {
        const cluster = await this.source.get(foreign.managedClusters, { name })
        return !cluster && !(await this.source.get(resources.namespaces, { name }))
      })
  }

  /** Takes back everything temporary. */
  async revoke(): Promise<void> {
    await this.source.delete(foreign.klusterletConfigs, { name: `migration-${this.to}` })
    await this.source.delete(resources.secrets, { name: `bootstrap-${this.to}`, namespace: ENGINE_NAMESPACE })
    const spec = { registrationConfiguration: { autoApproveUsers: [] } }
    await this.target.patch(foreign.clusterManagers, { name: CLUSTER_MANAGER }, { spec })
    await this.target.delete(resources.clusterRoleBindings, {
      name: `global-hub-migration-${this.migration}-registration`,
    })
    await this.fleet.globalClient.delete(foreign.managedServiceAccounts, { name: this.migration, namespace: this.to })
  }
}
