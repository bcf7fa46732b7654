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
type View = z.infer<typeof viewSchema>
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
      const looked = await looks(subclouds, asked, transact)
      const standDowns = subclouds.flatMap(({ region: ref, owner_epoch: epoch }) =>
        epoch === undefined ? [] : [standDown(ports, asked, transact, { region: ref, epoch })],
      )
      return { subcloud_views: [...looked, ...(await Promise.all(standDowns))] }
    },
  },
]

/** In one transaction: they change nothing, and are of one moment. */
function looks(subclouds: readonly Wanted[], { caller }: Asked, transact: Transact): Promise<readonly Answer[]> {
  const wanted = subclouds.filter(({ owner_epoch: epoch }) => epoch === undefined)
  if (wanted.length === 0) return Promise.resolve([])
  return transact(async sql => {
    const answers: Answer[] = []
    for (const { region: ref } of wanted)
      answers.push(await answered(ref, async () => viewOf(await namedSubcloud(sql, ref, caller))))
    return answers
  })
}

/** Each for itself: one that fails takes nothing of the others back. */
function standDown(
  ports: ApiPorts,
  asked: Asked,
  transact: Transact,
  { region: ref, epoch }: { readonly region: string; readonly epoch: number },
): Promise<Answer> {
  const fields = { 'management-state': 'unmanaged', migrate: 'true', owner_epoch: String(epoch) }
  const edit = { ...asked, ref, body: undefined, form: { fields, files: {} } }
  return answered(ref, async () => viewSchema.parse(await editSubcloud(ports, edit, transact)))
}

async function answered(ref: string, view: () => Promise<View>): Promise<Answer> {
  try {
    return { region: ref, view: await view() }
  } catch (error) {
    if (error instanceof Refusal) return { region: ref, refusal: { status: error.status, message: error.message } }
    if (!(error instanceof Retryable)) throw error
    return { region: ref, refusal: { status: 503, message: 'Not possible at the moment: try again' } }
  }
}

const viewOf = ({ deployStatus, managementState, ownerEpoch, values }: Subcloud): View => ({
  'deploy-status': deployStatus,
  'management-state': managementState,
  'owner-epoch': ownerEpoch,
  'values-version': { ...values },
})
