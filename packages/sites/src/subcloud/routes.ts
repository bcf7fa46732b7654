/** `/subclouds` over the store. */
import { z } from 'zod'
import type { ApiPorts } from '../http/api-ports.ts'
import type { Route } from '../http/route.ts'
import { addSubcloud } from './add.ts'
import { editSubcloud } from './edit.ts'
import { newSubcloudSchema, subcloudChangeSchema } from './form-fields.ts'
import { namedSubcloud } from './named-subcloud.ts'
import { removeSubcloud } from './remove.ts'
import { subcloudsWhere } from './rows.ts'
import { listed, shownOne } from './shown.ts'
import { shownSubcloudSchema } from './shown-schema.ts'

const COLLECTION = 'subclouds'
const NOT_KNOWN = 'unavailable'

export const subcloudRoutes = (ports: ApiPorts): readonly Route[] => [
  {
    method: 'GET',
    path: [COLLECTION],
    policy: 'read',
    summary: 'Lists the subclouds',
    answer: z.object({ subclouds: z.array(shownSubcloudSchema) }),
    serve: (asked, transact) => listed(asked, transact, subcloudsWhere),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref'],
    policy: 'read',
    summary: 'Shows one subcloud, by id or name; to the other site by region',
    answer: shownSubcloudSchema,
    handle: async ({ sql, ref, caller }) => shownOne(sql, await namedSubcloud(sql, ref, caller), caller),
  },
  {
    method: 'GET',
    path: [COLLECTION, ':ref', 'detail'],
    policy: 'read',
    summary: 'Shows one subcloud with its OAM address and region',
    answer: shownSubcloudSchema.extend({
      oam_floating_ip: z.string(),
      deploy_config_sync_status: z.string(),
      region_name: z.string(),
    }),
    handle: async ({ sql, ref, caller }) => {
      const subcloud = await namedSubcloud(sql, ref, caller)
      const oam = subcloud.savedPayload?.['external_oam_floating_address']
      return {
        ...(await shownOne(sql, subcloud, caller)),
        oam_floating_ip: typeof oam === 'string' ? oam : NOT_KNOWN,
        deploy_config_sync_status: 'unknown',
        region_name: subcloud.region,
      }
    },
  },
  {
    method: 'POST',
    path: [COLLECTION],
    policy: 'change',
    summary: 'Adds a subcloud: one that is taken in with migrate, or a copy that the other site hands over',
    request: newSubcloudSchema,
    files: ['bootstrap_values', 'install_values'],
    answer: shownSubcloudSchema.extend({ operation_id: z.string().optional() }),
    serve: (asked, transact) => addSubcloud(ports, asked, transact),
  },
  {
    method: 'PATCH',
    path: [COLLECTION, ':ref'],
    policy: 'manage',
    summary: 'Changes a subcloud: management state, peer group, bootstrap values and address, and what is shown of it',
    request: subcloudChangeSchema,
    files: ['bootstrap_values', 'install_values'],
    answer: shownSubcloudSchema.extend({ info_message: z.string().optional() }),
    serve: (asked, transact) => editSubcloud(ports, asked, transact),
  },
  {
    method: 'DELETE',
    path: [COLLECTION, ':ref'],
    policy: 'change',
    summary: 'Deletes a subcloud that is unmanaged and offline',
    answer: z.null(),
    handle: removeSubcloud,
  },
]
