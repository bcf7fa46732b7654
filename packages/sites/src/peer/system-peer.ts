/** The other site as this one knows it: what a request may say of it, and what is shown. */
import type { Row } from '@godwit/store'
import { z } from 'zod'
import { addressField, integerField, nameField, shortText, uuidField } from '../http/fields.ts'

const fields = {
  peer_uuid: uuidField,
  peer_name: nameField,
  manager_endpoint: shortText.startsWith('http'),
  manager_username: shortText,
  manager_password: shortText,
  peer_controller_gateway_address: addressField,
  administrative_state: z.enum(['enabled', 'disabled']),
  heartbeat_interval: integerField(10, 600),
  heartbeat_failure_threshold: integerField(1, 30),
  heartbeat_failure_policy: z.enum(['alarm', 'propose', 'rehome', 'delegate']),
  heartbeat_maintenance_timeout: integerField(300, 36_000),
}

export const newPeerSchema = z.object({
  ...fields,
  administrative_state: fields.administrative_state.default('enabled'),
  heartbeat_interval: fields.heartbeat_interval.default(60),
  heartbeat_failure_threshold: fields.heartbeat_failure_threshold.default(3),
  heartbeat_failure_policy: fields.heartbeat_failure_policy.default('alarm'),
  heartbeat_maintenance_timeout: fields.heartbeat_maintenance_timeout.default(600),
})

export const peerChangeSchema = z.object(fields).partial()

export const shownPeerSchema = z.object({
  id: z.int(),
  'peer-uuid': z.string(),
  'peer-name': z.string(),
  'manager-endpoint': z.string(),
  'manager-username': z.string(),
  'peer-controller-gateway-address': z.string(),
  'administrative-state': z.string(),
  'heartbeat-interval': z.int(),
  'heartbeat-failure-threshold': z.int(),
  'heartbeat-failure-policy': z.string(),
  'heartbeat-maintenance-timeout': z.int(),
  'availability-state': z.string(),
  'created-at': z.string(),
  'updated-at': z.string().nullable(),
})

/** With hyphens, and without the password. */
export const shownPeer = (row: Row): Row =>
  Object.fromEntries(Object.keys(shownPeerSchema.shape).map(name => [name, row[name.replaceAll('-', '_')] ?? null]))
