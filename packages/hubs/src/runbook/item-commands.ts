/** The effects of both sides on one cluster, as commands with real names. One place for plans and runbooks. */
import { resources } from '@godwit/kube'
import type { ObjectRef } from '../agent/facts.ts'
import { PAUSABLE } from '../agent/hub-world.ts'
import { annotations, LEASE_NAME, ocm } from '../api/index.ts'
import { ALLOWED } from '../bundle/allow-list.ts'
import type { SourceItemEffect } from '../source/item-table.ts'
import type { TargetItemEffect } from '../target/item-table.ts'
import { annotate, note, patch, remove, type Target } from './kubectl.ts'

export interface ItemPlace {
  readonly hub: string
  readonly cluster: string
}

export interface TargetPlace extends ItemPlace {
  /** What was applied for the cluster: `Kind/name` by commas; unknown: only what every cluster has. */
  readonly objects?: string | undefined
}

const managedCluster = ({ hub, cluster }: ItemPlace): Target => ({ hub, resource: ocm.managedClusters, name: cluster })
const accept = (place: ItemPlace, hubAcceptsClient: boolean) =>
  patch(managedCluster(place), { spec: { hubAcceptsClient } })

function refTarget({ hub }: ItemPlace, { kind, name, namespace }: ObjectRef): Target | undefined {
  const resource = [ocm.managedClusters, ...PAUSABLE].find(known => known.kind === kind)
  return resource && { hub, resource, name, ...(namespace && { namespace }) }
}

export function sourceItemCommands(place: ItemPlace, effect: SourceItemEffect): string[] {
  const { hub, cluster } = place
  switch (effect.kind) {
    case 'annotate': {
      const target = refTarget(place, effect.object)
      return target ? [annotate(target, effect.annotations)] : []
    }
    case 'bundle':
      return [note(`the agent of ${hub} collects the resources of ${cluster} and seals them for the target agent`)]
    case 'deny':
      return [accept(place, false)]
    case 'accept':
      return [accept(place, true)]
    case 'deleteLease':
      return [remove({ hub, resource: resources.leases, name: LEASE_NAME, namespace: cluster })]
    case 'deleteObservabilityAddon': {
      const addon = { hub, resource: ocm.observabilityAddons, name: effect.name, namespace: cluster }
      return [patch(addon, withoutFinalizers), remove(addon)]
    }
    case 'release': {
      const target = refTarget(place, effect.object)
      return target ? deleteUnprovisioned(target) : []
    }
    case 'detach':
      return [remove(managedCluster(place))]
  }
}

const withoutFinalizers = { metadata: { finalizers: null } }
const PAUSE: Readonly<Record<string, string>> = {
  ClusterDeployment: annotations.hivePause,
  BareMetalHost: annotations.metal3Pause,
  DataImage: annotations.metal3Pause,
}

/** Paused and without finalizers first: otherwise the deletion would tear machines down. */
function deleteUnprovisioned(target: Target): string[] {
  const pause = PAUSE[target.resource.kind]
  if (pause === undefined) return [remove(target)]
  return [annotate(target, { [pause]: 'true' }), patch(target, withoutFinalizers), remove(target)]
}

export function targetItemCommands(place: TargetPlace, effect: TargetItemEffect): string[] {
  const { hub, cluster } = place
  switch (effect.kind) {
    case 'adopt':
      return [note(`the agent of ${hub} marks the ManagedCluster that the klusterlet of ${cluster} made there`)]
    case 'applyBundle':
      return [note(`the agent of ${hub} opens bundle ${effect.secret} and applies the resources of ${cluster}`)]
    case 'enableAutoImport':
      return [annotate(managedCluster(place), { [annotations.disableAutoImport]: null })]
    case 'unmark':
      return applied(place)
        .concat(managedCluster(place), { hub, resource: resources.namespaces, name: cluster })
        .map(target => annotate(target, { [annotations.migration]: null, [annotations.keepDisableAutoImport]: null }))
    case 'deny':
      return [accept(place, false)]
    case 'withdraw':
      return [
        ...applied(place).flatMap(deleteUnprovisioned),
        remove(managedCluster(place)),
        remove({ hub, resource: resources.namespaces, name: cluster }),
      ]
  }
}

/** Objects in the namespace of the cluster that the migration applied there. */
function applied({ hub, cluster, objects = '' }: TargetPlace): Target[] {
  return objects.split(',').flatMap(text => {
    const [kind = '', name = ''] = text.split('/')
    const resource = ALLOWED.find(allowed => allowed.resource.kind === kind)?.resource
    return resource?.namespaced && name ? [{ hub, resource, name, namespace: cluster }] : []
  })
}
