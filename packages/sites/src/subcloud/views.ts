/**
 * Many subclouds in one request of the other site: what this one has of each, after it has stood down when it was asked
 * to. Each is answered for itself, by the rules of `GET` and `PATCH /subclouds/{ref}`; values are not shown.
 */
import { Retryable } from '@godwit/core'
import { z } from 'zod'
import { isPeer } from '../auth/policies.ts'
import type { ApiPorts } from '../http/api-ports.ts'
import { checkedFields } from '../http/fields.ts'
import { Refusal } from '../http/refusal.ts'
import type { Asked, Route, Transact } from '../http/route.ts'
import { editSubcloud } from './edit.ts'
import { namedSubcloud } from './named-subcloud.ts'
import type { Subcloud } from './rows.ts'

/** More than one site asks for at the same time. */
export const MAX_VIEWS = 200

const region = z.string().min(1).max(255)
const requestSchema = z.object({
  subclouds: z
    .array(z.object({ region, owner_epoch: z.int().min(0).optional() }))
    .min(1)
    .max(MAX_VIEWS),
})
type Wanted = z.infer<typeof requestSchema>['subclouds'][number]

const viewSchema = z.object({
  'deploy-status': z.string(),
  'management-state': z.string(),
  'owner-epoch': z.int(),
  'values-version': z.record(z.string(), z.int()),
})
const answerSchema = z.object({
  region,
  view: viewSchema.optional(),
  refusal: z.object({ status: z.int(), message: z.string() }).optional(),
})
type Answer = z.infer<typeof answerSchema>

export const subcloudViewRoutes = (ports: ApiPorts): readonly Route[] => [
  {
    method: 'POST',
    path: ['subcloud-views'],
    policy: 'manage',
    summary: 'For the other site: what this one has of many subclouds; it stands down for those with an owner_epoch',
    request: requestSchema,
    answer: z.object({ subcloud_views: z.array(answerSchema) }),
    serve: async (asked, transact) => {
      if (!isPeer(asked.caller)) throw new Refusal(403, 'Only the other site asks for views')
      const { subclouds } = checkedFields(requestSchema, asked.body)
      return { subcloud_views: await Promise.all(subclouds.map(wanted => answered(ports, asked, transact, wanted))) }
    },
  },
]

async function answered(ports: ApiPorts, asked: Asked, transact: Transact, wanted: Wanted): Promise<Answer> {
  try {
    return { region: wanted.region, view: await viewed(ports, asked, transact, wanted) }
  } catch (error) {
    if (error instanceof Refusal)
      return { region: wanted.region, refusal: { status: error.status, message: error.message } }
    if (!(error instanceof Retryable)) throw error
    return { region: wanted.region, refusal: { status: 503, message: 'Not possible at the moment: try again' } }
  }
}

async function viewed(
  ports: ApiPorts,
  asked: Asked,
  transact: Transact,
  { region: ref, owner_epoch: epoch }: Wanted,
): Promise<z.infer<typeof viewSchema>> {
  if (epoch === undefined) return await transact(async sql => viewOf(await namedSubcloud(sql, ref, asked.caller)))
  const fields = { 'management-state': 'unmanaged', migrate: 'true', owner_epoch: String(epoch) }
  const shown = await editSubcloud(ports, { ...asked, ref, body: undefined, form: { fields, files: {} } }, transact)
  return viewSchema.parse(shown)
}

const viewOf = ({ deployStatus, managementState, ownerEpoch, values }: Subcloud) => ({
  'deploy-status': deployStatus,
  'management-state': managementState,
  'owner-epoch': ownerEpoch,
  'values-version': { ...values },
})
