import { crdResource } from '../../crd/definition-resource.ts'
import type { Resource } from '../resource.ts'
import { certificateSigningRequests } from './certificate-signing-request.ts'
import { configMaps } from './config-map.ts'
import {
  endpoints,
  limitRanges,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  services,
} from './core-workload.ts'
import { coreEvents, events } from './event.ts'
import { leases } from './lease.ts'
import { namespaces } from './namespace.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './rbac.ts'
import { reviews } from './reviews.ts'
import { secrets } from './secret.ts'
import { serviceAccounts } from './service-account.ts'
import { workloads } from './workloads.ts'

/** Every kind that is served from the start. */
export const builtinResources: readonly Resource[] = Object.freeze([
  configMaps,
  endpoints,
  coreEvents,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  serviceAccounts,
  services,
  ...workloads,
  ...reviews,
  certificateSigningRequests,
  leases,
  events,
  roles,
  clusterRoles,
  roleBindings,
  clusterRoleBindings,
  crdResource,
])
