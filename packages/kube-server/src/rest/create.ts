import type { KubeObject } from '../api/object.ts'
import { alreadyExists, StatusError } from '../api/status-error.ts'
import {
  assertAllowed,
  assertMayApprove,
  assertMaySign,
  assertMayWriteRbac,
  assertSubjectAllowed,
} from '../auth/index.ts'
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

/** An update or apply that finds nothing becomes a create, which is a right of its own. Throws 403. */
export function assertMayCreate(core: Core, { user, resource, namespace, name }: Call): void {
  const { group, plural } = resource
  assertAllowed(core.authorizer, { user, verb: 'create', group, resource: plural, name, namespace })
}

/** Rights that depend on what is written: nobody grants what they do not have, signs or approves at will. Throws 403. */
export function assertMayWrite(core: Core, call: Call, object: KubeObject, previous?: KubeObject): void {
  const { resource, user, subresource, namespace } = call
  const { authorizer } = core
  if (resource.group === 'rbac.authorization.k8s.io') {
    const write = { authorizer, user, plural: resource.plural, name: object.metadata.name, namespace }
    assertMayWriteRbac(write, object, previous)
  }
  if (resource.group !== 'certificates.k8s.io') return
  if (!previous) assertSubjectAllowed(object)
  else if (subresource === 'approval') assertMayApprove({ authorizer, user, csr: previous })
  else if (subresource === 'status') assertMaySign({ authorizer, user, csr: previous }, object)
}
