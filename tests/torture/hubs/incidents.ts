/** Lets things go wrong in a world, and says when they are over. */
import { bootstrapSecretName, credentialName, godwit, klusterletConfigName, type MigrationTask } from '@godwit/hubs'
import { isAlreadyExists, isNotFound, type KubeObject, type Resource, resources } from '@godwit/kube'
import { foreign } from '@godwit/simulation'
import type { HubsWorld } from './world.ts'
import { MIGRATION_REF } from './world.ts'
import { type PartyName, type ServerName, userOf } from './world-image.ts'

/** Ends what an incident began. */
export type End = () => Promise<void> | void

/** Takes a party's rights on one server away until the returned function gives them back. */
export async function withdrawRights(world: HubsWorld, party: PartyName, server: ServerName): Promise<End> {
  world.rightsChange()
  const client = world.clients[server]
  const taken: { readonly resource: Resource; readonly binding: KubeObject }[] = []
  for (const resource of [resources.clusterRoleBindings, resources.roleBindings])
    for (const binding of world.objects<KubeObject & { readonly subjects?: readonly { name: string }[] }>(
      server,
      resource,
    )) {
      if (!binding.subjects?.some(({ name }) => name === userOf(party))) continue
      await client.delete(resource, binding.metadata)
      taken.push({ resource, binding })
    }
  return async () => {
    for (const { resource, binding } of taken) {
      const { name, namespace } = binding.metadata
      await client.create(resource, { ...binding, metadata: { name, ...(namespace && { namespace }) } })
    }
  }
}

/** Objects under names that the migration would take. */
export type Stranger = 'bootstrapSecret' | 'klusterletConfig' | 'clusterRole' | 'credential'

interface Placed {
  readonly server: ServerName
  readonly resource: Resource
  readonly object: KubeObject
}

/** What somebody else made under names that the migration would take. It must not touch them. */
export class Strangers {
  readonly #world: HubsWorld
  readonly #placed: Placed[] = []

  constructor(world: HubsWorld) {
    this.#world = world
  }

  /** Does nothing when the migration was faster. */
  async place(which: Stranger, migrationUid: string): Promise<void> {
    const { server, resource, object } = this.#make(which, migrationUid)
    try {
      this.#placed.push({ server, resource, object: await this.#world.clients[server].create(resource, object) })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  has = (kind: string, name: string) =>
    this.#placed.some(({ object: { kind: own, metadata } }) => own === kind && name.endsWith(metadata.name))

  /** Those that are not what they were. */
  faults(): string[] {
    return this.#placed.flatMap(({ server, resource, object: { kind, metadata } }) => {
      const live = this.#world
        .objects(server, resource, metadata.namespace)
        .find(each => each.metadata.name === metadata.name)
      const isSame = live?.metadata.resourceVersion === metadata.resourceVersion
      return isSame ? [] : [`INV-3: ${kind} ${metadata.name} on ${server} is somebody else's, and is not what it was`]
    })
  }

  #make(which: Stranger, uid: string): Placed {
    const secret = (server: ServerName, namespace: string, name: string): Placed => {
      const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: { mine: 'bWluZQ==' } }
      return { server, resource: resources.secrets, object }
    }
    switch (which) {
      case 'bootstrapSecret':
        return secret('hub1', 'multicluster-engine', bootstrapSecretName('hub2'))
      case 'credential':
        return secret('global', 'hub1', credentialName(uid))
      case 'klusterletConfig': {
        const { group, version, kind } = foreign.klusterletConfigs
        const metadata = { name: klusterletConfigName('hub2') }
        const object = { apiVersion: `${group}/${version}`, kind, metadata, spec: {} }
        return { server: 'hub1', resource: foreign.klusterletConfigs, object }
      }
      case 'clusterRole': {
        const metadata = { name: `global-hub-migration-${MIGRATION_REF.name}-sar` }
        const object = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules: [] }
        return { server: 'hub2', resource: resources.clusterRoles, object }
      }
    }
  }
}

/** A person edits the migration, if it is still there. */
export async function editMigration({ clients }: HubsWorld, patch: object): Promise<void> {
  try {
    await clients.global.patch(godwit.migrations, MIGRATION_REF, patch)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Somebody deletes a part of the record by hand. */
export async function deleteNth(world: HubsWorld, kind: 'deleteTask' | 'deleteBundle', nth: number): Promise<void> {
  const { global } = world.clients
  const isTask = kind === 'deleteTask'
  const { items } = isTask
    ? await global.list<MigrationTask>(godwit.tasks)
    : await global.list<KubeObject>(resources.secrets, { labelSelector: 'godwit.dev/purpose=bundle' })
  const chosen = items[nth % Math.max(1, items.length)]
  if (chosen) await global.delete(isTask ? godwit.tasks : resources.secrets, chosen.metadata)
}
