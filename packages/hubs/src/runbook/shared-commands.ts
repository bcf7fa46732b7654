/** The effects of all parties on what a migration needs once, as commands with real names. */
import { resources } from '@godwit/kube'
import {
  AGENT_NAMESPACE,
  AUTO_APPROVAL_GATE,
  BOOTSTRAP_NAMESPACE,
  bootstrapSecretName,
  CLUSTER_MANAGER,
  credentialName,
  klusterletConfigName,
  ocm,
  registrationBinding,
  sealingKeyName,
  subjectAccessReviewRole,
} from '../api/index.ts'
import type { SharedEffect } from '../controller/shared-table.ts'
import type { SourceSharedEffect } from '../source/shared-table.ts'
import type { TargetSharedEffect } from '../target/shared-table.ts'
import { GLOBAL_HUB, note, remove } from './kubectl.ts'

export interface SharedPlace {
  readonly migration: string
  readonly uid: string
  readonly from: string
  readonly to: string
}

export function sourceSharedCommands({ from: hub, to }: SharedPlace, effect: SourceSharedEffect): string[] {
  const secret = { hub, resource: resources.secrets, name: bootstrapSecretName(to), namespace: BOOTSTRAP_NAMESPACE }
  const config = { hub, resource: ocm.klusterletConfigs, name: klusterletConfigName(to) }
  switch (effect.kind) {
    case 'writeBootstrapSecret':
      return [note(`the agent of ${hub} writes Secret ${secret.namespace}/${secret.name}`)]
    case 'writeKlusterletConfig':
      return [note(`the agent of ${hub} writes KlusterletConfig ${config.name}`)]
    case 'deleteBootstrapSecret':
      return [remove(secret)]
    case 'deleteKlusterletConfig':
      return [remove(config)]
  }
}

export function targetSharedCommands({ to: hub, migration, uid }: SharedPlace, effect: TargetSharedEffect): string[] {
  const key = { hub, resource: resources.secrets, name: sealingKeyName(uid), namespace: AGENT_NAMESPACE }
  const role = { hub, resource: resources.clusterRoles, name: subjectAccessReviewRole(migration) }
  const bindings = [role.name, registrationBinding(migration)].map(name => ({
    hub,
    resource: resources.clusterRoleBindings,
    name,
  }))
  switch (effect.kind) {
    case 'makeSealingKey':
      return [note(`the agent of ${hub} makes Secret ${key.namespace}/${key.name}`)]
    case 'deleteSealingKey':
      return [remove(key)]
    case 'approve':
      return [note(`the agent of ${hub} adds ${effect.user} to autoApproveUsers and enables ${AUTO_APPROVAL_GATE}`)]
    case 'disapprove':
      return [
        note(`take ${effect.user} out of spec.registrationConfiguration.autoApproveUsers:`),
        `kubectl --context ${hub} edit clustermanagers.operator.open-cluster-management.io ${CLUSTER_MANAGER}`,
      ]
    case 'grant':
      return [
        note(`the agent of ${hub} makes ClusterRole ${role.name}`),
        ...bindings.map(({ name }) => note(`the agent of ${hub} makes ClusterRoleBinding ${name}`)),
      ]
    case 'revoke':
      return [...bindings.map(remove), remove(role)]
  }
}

export function controllerCommands({ migration, uid, from, to }: SharedPlace, effect: SharedEffect): string[] {
  const hub = GLOBAL_HUB
  const account = { hub, resource: ocm.managedServiceAccounts, name: migration, namespace: to }
  const credential = { hub, resource: resources.secrets, name: credentialName(uid), namespace: from }
  switch (effect.kind) {
    case 'deleteServiceAccount':
      return [remove(account)]
    case 'deleteCredential':
      return [remove(credential)]
    case 'makeServiceAccount':
      return [note(`the controller makes ManagedServiceAccount ${account.namespace}/${account.name}`)]
    case 'writeCredential':
      return [note(`the controller writes Secret ${credential.namespace}/${credential.name}`)]
    default:
      // Tasks, bundles and the result: records of Godwit itself, nothing that a person would do by hand.
      return []
  }
}
