/** Members without which the command line ends with a traceback, by resource. */
import assert from 'node:assert/strict'

const PEER = [
  'id',
  'peer-uuid',
  'peer-name',
  'manager-endpoint',
  'manager-username',
  'peer-controller-gateway-address',
  'administrative-state',
  'heartbeat-interval',
  'heartbeat-failure-threshold',
  'heartbeat-failure-policy',
  'heartbeat-maintenance-timeout',
  'availability-state',
  'created-at',
  'updated-at',
]
const GROUP = [
  'id',
  'peer_group_name',
  'group_priority',
  'group_state',
  'max_subcloud_rehoming',
  'system_leader_id',
  'system_leader_name',
  'created-at',
  'updated-at',
]
const ASSOCIATION = [
  'id',
  'peer-group-id',
  'system-peer-id',
  'association-type',
  'sync-status',
  'peer-group-priority',
  'created-at',
  'updated-at',
]
const SUBCLOUD = [
  'id',
  'name',
  'description',
  'location',
  'software-version',
  'management-state',
  'availability-status',
  'deploy-status',
  'management-subnet',
  'management-start-ip',
  'management-end-ip',
  'management-gateway-ip',
  'systemcontroller-gateway-ip',
  'created-at',
  'updated-at',
  'group_id',
]
const STATUS = [
  'peer_group_id',
  'peer_group_name',
  'total_subclouds',
  'complete',
  'waiting_for_migrate',
  'rehoming',
  'rehome_failed',
  'managed',
  'unmanaged',
]
const SUBCLOUD_GROUP = [
  'id',
  'name',
  'description',
  'update_apply_type',
  'max_parallel_subclouds',
  'created-at',
  'updated-at',
]
export const REQUIRED = {
  peer: PEER,
  group: GROUP,
  association: ASSOCIATION,
  subcloud: SUBCLOUD,
  status: STATUS,
  subcloudGroup: SUBCLOUD_GROUP,
} as const

export type Kind = keyof typeof REQUIRED

export function hasRequired(kind: Kind, object: unknown): Readonly<Record<string, unknown>> {
  assert.ok(object !== null && typeof object === 'object', `no ${kind} in the answer`)
  for (const key of REQUIRED[kind]) assert.ok(key in object, `${kind} has no ${key}: ${JSON.stringify(object)}`)
  return object as Readonly<Record<string, unknown>>
}
