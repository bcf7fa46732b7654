import { z } from 'zod'

const text = z.string()
const none = z.null()

/** For the document of the API, and for tests: what clients need of a subcloud. */
export const shownSubcloudSchema = z.object({
  id: z.int(),
  name: text,
  description: text,
  location: text,
  'software-version': text,
  'management-state': z.enum(['managed', 'unmanaged']),
  'availability-status': z.enum(['online', 'offline']),
  'deploy-status': text,
  'backup-status': none,
  'backup-datetime': none,
  'error-description': text,
  'region-name': text,
  'management-subnet': text,
  'management-start-ip': text,
  'management-end-ip': text,
  'management-gateway-ip': text,
  'openstack-installed': z.boolean(),
  'prestage-status': none,
  'prestage-versions': none,
  'systemcontroller-gateway-ip': text,
  data_install: text.nullable(),
  data_upgrade: none,
  'created-at': text,
  'updated-at': text.nullable(),
  group_id: z.int(),
  peer_group_id: z.int().nullable(),
  rehome_data: z.object({ saved_payload: z.record(text, z.unknown()) }).nullable(),
  sync_status: z.enum(['in-sync', 'out-of-sync', 'unknown']),
  endpoint_sync_status: z.array(z.object({ endpoint_type: text, sync_status: text })),
  'owner-epoch': z.int(),
  'values-version': z.record(text, z.int()),
})
