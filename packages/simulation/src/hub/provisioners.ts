/**
 * Hive and Metal3, as far as they are dangerous: an unpaused object that is deleted takes the machines with it. What
 * they destroyed is kept in a list, for no move may ever cause an entry.
 */
import { type Informer, type KubeObject, resources } from '@godwit/kube'
import { annotations, finalizers } from '../foreign/names.ts'
import { foreign } from '../foreign/resources.ts'
import type { OpenObject, Secret } from '../foreign/types.ts'
import type { Ports } from './context.ts'
import { type Controller, makeController, onChangesOf } from './controller.ts'
import { removeFinalizers } from './ensure.ts'
import type { HubView } from './hub-view.ts'

/** Something real that was destroyed. */
export interface Disaster {
  readonly hub: string
  readonly kind: 'ClusterDeployment' | 'BareMetalHost'
  readonly namespace: string
  readonly name: string
}

const keyOf = ({ metadata: { namespace = '', name } }: KubeObject) => `${namespace}/${name}`
const refOf = (key: string) => {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}

export interface Provisioners {
  readonly controllers: readonly Controller[]
  readonly disasters: readonly Disaster[]
}

export function provisioners(view: HubView, ports: Ports): Provisioners {
  const disasters: Disaster[] = []
  const noteOf = (kind: Disaster['kind']) => (key: string) => {
    const disaster = { hub: view.access.name, kind, ...refOf(key) }
    disasters.push(disaster)
    ports.logger.warn({ ...disaster }, 'something real was deprovisioned')
  }
  return {
    disasters,
    controllers: [hive(view, ports, noteOf('ClusterDeployment')), metal3(view, ports, noteOf('BareMetalHost'))],
  }
}

const deletedOf = (informer: Informer<OpenObject>) =>
  onChangesOf(informer, (object, { type }) =>
    object.metadata.deletionTimestamp && type !== 'deleted' ? [keyOf(object)] : [],
  )

function hive(view: HubView, ports: Ports, note: (key: string) => void): Controller {
  const { client } = view.access
  return makeController({
    name: 'hive',
    ports,
    watches: [deletedOf(view.clusterDeployments)],
    reconcile: async key => {
      const found = view.clusterDeployments.get(refOf(key))
      if (!found?.metadata.deletionTimestamp || found.metadata.annotations?.[annotations.hivePause] === 'true')
        return undefined
      if (!found.metadata.finalizers?.includes(finalizers.hiveDeprovision)) return undefined
      await removeFinalizers(client, foreign.clusterDeployments, found, each => each === finalizers.hiveDeprovision)
      note(key)
      return undefined
    },
  })
}

interface Host {
  readonly spec?: { readonly bmc?: { readonly credentialsName?: string } }
}

function metal3(view: HubView, ports: Ports, note: (key: string) => void): Controller {
  const { client } = view.access
  return makeController({
    name: 'metal3',
    ports,
    watches: [deletedOf(view.bareMetalHosts)],
    reconcile: async key => {
      const found = view.bareMetalHosts.get(refOf(key))
      if (!found?.metadata.deletionTimestamp) return undefined
      if (found.metadata.annotations?.[annotations.metal3Pause] !== undefined) return undefined
      if (!found.metadata.finalizers?.includes(finalizers.metal3Host)) return undefined
      await removeFinalizers(client, foreign.bareMetalHosts, found, each => each === finalizers.metal3Host)
      note(key)
      const name = (found as Host).spec?.bmc?.credentialsName
      const credentials = name && (await client.get<Secret>(resources.secrets, { ...refOf(key), name }))
      if (credentials)
        await removeFinalizers(client, resources.secrets, credentials, each => each === finalizers.metal3Secret)
      return undefined
    },
  })
}
