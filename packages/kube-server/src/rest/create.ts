import type { KubeObject } from '../api/object.ts'
import { alreadyExists, StatusError } from '../api/status-error.ts'
import { assertMayWriteRbac } from '../auth/index.ts'
import type { Draft } from '../registry/resource.ts'
import type { Stored } from '../store/types.ts'
import { type Call, type Core, subjectOf } from './call.ts'
import { commit, type Decision, type Outcome } from './commit.ts'
import { assertNamespaceAccepts } from './namespace-check.ts'
import { prepareNew, type Tracking } from './prepare.ts'

/** Tries at a free generated name; a clash is a one in ten million event. */
const nameAttempts = 8

/** Stores a new object. Throws 409 when the name is taken, 404 or 403 for its namespace, 422 for its content. */
export async function createObject(
  core: Core,
  call: Call,
  draft: Draft,
  options: { readonly dryRun: boolean; readonly tracking: Tracking },
): Promise<Outcome> {
  const isGenerated = !draft.metadata.name && draft.metadata.generateName !== undefined
  for (let attempt = 1; ; attempt++) {
    assertNamespaceAccepts(core, call, draft.metadata.name ?? '')
    const object = prepareNew(core, call, { ...draft }, options.tracking)
    const { name } = object.metadata
    const decide = (current: Stored | undefined) => decideCreate(core, call, object, current)
    try {
      return await commit(core, call, { name, dryRun: options.dryRun }, decide)
    } catch (error) {
      const isClash = error instanceof StatusError && error.reason === 'AlreadyExists'
      if (!isClash || !isGenerated || attempt >= nameAttempts) throw error
    }
  }
}

/** The decision of a create, also used by updates and applies that find nothing. */
export function decideCreate(core: Core, call: Call, object: KubeObject, current: Stored | undefined): Decision {
  const { name } = object.metadata
  if (current) throw taken(call, name, current)
  assertNamespaceAccepts(core, call, name)
  assertMayWrite(core, call, object)
  return { put: call.resource.toStorage(object), isNew: true }
}

function taken(call: Call, name: string, current: Stored): StatusError {
  const error = alreadyExists({ ...subjectOf(call), name })
  if (current.object.metadata.deletionTimestamp === undefined) return error
  return new StatusError(error.code, error.reason, `object is being deleted: ${error.message}`, error.details)
}

/** Nobody may grant what they do not have. Throws 403. */
export function assertMayWrite(core: Core, call: Call, object: KubeObject, previous?: KubeObject): void {
  if (call.resource.group !== 'rbac.authorization.k8s.io') return
  assertMayWriteRbac(
    {
      authorizer: core.authorizer,
      user: call.user,
      plural: call.resource.plural,
      name: object.metadata.name,
      namespace: call.namespace,
    },
    object,
    previous,
  )
}
