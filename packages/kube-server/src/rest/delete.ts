import { rfc3339 } from '@godwit/ports'
import { invalidValue } from '../api/causes.ts'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { badRequest, type Cause, conflict, notFound, StatusError } from '../api/status-error.ts'
import type { View } from '../registry/resource.ts'
import type { Stored } from '../store/types.ts'
import { type Call, type Core, canonical, subjectOf, writeContext } from './call.ts'
import { commit, type Decision } from './commit.ts'
import { isGone } from './prepare.ts'
import { dryRunOf, notSupported, optionsError } from './query.ts'

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

export interface DeleteOptions {
  readonly dryRun: boolean
  readonly propagation: Propagation | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  /** How long the object may take to end by itself; undefined: as long as its kind does without being told. */
  readonly graceSeconds?: number | undefined
}

const propagations: readonly string[] = ['Foreground', 'Background', 'Orphan']
const orphanFinalizer = 'orphan'
const foregroundFinalizer = 'foregroundDeletion'

/** From the body, else from the query. Throws 422 for bad values. */
export function deleteOptions(body: JsonObject | undefined, query: URLSearchParams): DeleteOptions {
  const causes: Cause[] = []
  const source = body ?? {}
  const dryRuns = Array.isArray(source['dryRun']) ? source['dryRun'].map(String) : query.getAll('dryRun')
  const dryRun = dryRunOf(dryRuns, causes)
  const orphan = source['orphanDependents'] ?? booleanOf(query.get('orphanDependents'))
  const policy = source['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined
  if (policy !== undefined && policy !== null && orphan !== undefined && orphan !== null)
    causes.push(
      invalidValue('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    )
  else if (policy !== undefined && policy !== null && !propagations.includes(String(policy)))
    causes.push(notSupported('propagationPolicy', String(policy), [...propagations, 'nil']))
  if (causes.length > 0) throw optionsError('DeleteOptions', causes)
  const preconditions = (source['preconditions'] ?? {}) as JsonObject
  return {
    dryRun,
    propagation: propagationOf(policy, orphan),
    uid: textOf(preconditions['uid']),
    resourceVersion: textOf(preconditions['resourceVersion']),
    graceSeconds: graceOf(source['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds')),
  }
}

/** Like the real server, what is no number counts as not given, and what is negative as one second. */
function graceOf(value: unknown): number | undefined {
  const seconds = value === null || value === undefined || value === '' ? Number.NaN : Number(value)
  if (!Number.isInteger(seconds)) return undefined
  return seconds < 0 ? 1 : seconds
}

const booleanOf = (text: string | null) => (text === null || text === '' ? undefined : text === 'true' || text === '1')

function propagationOf(policy: unknown, orphan: unknown): Propagation | undefined {
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy
  if (orphan === true) return 'Orphan'
  return orphan === false ? 'Background' : undefined
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string')
    throw badRequest('json: cannot unmarshal into Go struct field Preconditions of type string')
  return value
}

export interface Deleted {
  /** The object still exists and waits for its finalizers. */
  readonly isTerminating: boolean
  readonly view: View
}

/** Deletes, or marks for deletion. Throws 404, 409 for preconditions, 403 for what must stay. */
export async function deleteObject(core: Core, call: Call, options: DeleteOptions): Promise<Deleted> {
  let isTerminating = false
  const outcome = await commit(core, call, { name: call.name, dryRun: options.dryRun }, current => {
    if (!current) throw notFound(subjectOf(call))
    const decision = decideDelete(core, call, options, current)
    isTerminating = !('remove' in decision)
    return decision
  })
  return { isTerminating, view: outcome.view }
}

function decideDelete(core: Core, call: Call, options: DeleteOptions, current: Stored): Decision {
  const { resource } = call
  checkPreconditions(call, options, current.object)
  const isFirst = current.object.metadata.deletionTimestamp === undefined
  const prepared = isFirst
    ? (resource.strategy.prepareDelete?.(current.object, writeContext(core, call)) ?? current.object)
    : current.object
  const before: readonly string[] = prepared.metadata.finalizers ?? []
  const finalizers = finalizersFor(options.propagation, before)
  const graceSeconds = resource.strategy.graceSeconds?.(prepared, options.graceSeconds) ?? 0
  const isShorter = graceSeconds < (prepared.metadata.deletionGracePeriodSeconds ?? 0)
  const timed = isShorter ? shortened(prepared, graceSeconds) : prepared
  const object = marked(core, timed, finalizers, graceSeconds)
  if (isGone(resource, object)) return { remove: current.object }
  return !isFirst && !isShorter && finalizers === before ? { unchanged: current } : { put: object }
}

/** A second deletion may hurry what the first one granted time, never grant more. */
function shortened(object: KubeObject, graceSeconds: number): KubeObject {
  const { deletionTimestamp = '', deletionGracePeriodSeconds: before = 0 } = object.metadata
  const endMs = Date.parse(deletionTimestamp) - (before - graceSeconds) * 1000
  const times = { deletionTimestamp: rfc3339(endMs), deletionGracePeriodSeconds: graceSeconds }
  return { ...object, metadata: { ...object.metadata, ...times } }
}

function checkPreconditions(call: Call, { uid, resourceVersion }: DeleteOptions, object: KubeObject): void {
  if (uid !== undefined && uid !== object.metadata.uid)
    throw conflict(
      subjectOf(call),
      `the UID in the precondition (${uid}) does not match the UID in record (${object.metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion)
    throw conflict(
      subjectOf(call),
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${object.metadata.resourceVersion}). The object might have been modified`,
    )
}

/** Returns its argument when nothing changes. */
function finalizersFor(propagation: Propagation | undefined, finalizers: readonly string[]): readonly string[] {
  if (propagation === undefined) return finalizers
  const wanted = { Orphan: orphanFinalizer, Foreground: foregroundFinalizer, Background: undefined }[propagation]
  const kept = finalizers.filter(one => one === wanted || (one !== orphanFinalizer && one !== foregroundFinalizer))
  if (wanted !== undefined && !kept.includes(wanted)) kept.push(wanted)
  const isSame = kept.length === finalizers.length && kept.every((one, i) => one === finalizers[i])
  return isSame ? finalizers : kept
}

function marked(core: Core, object: KubeObject, finalizers: readonly string[], graceSeconds: number): KubeObject {
  const { finalizers: _old, ...rest } = object.metadata
  const { generation, deletionTimestamp } = object.metadata
  const isFirst = deletionTimestamp === undefined
  return canonical({
    ...object,
    metadata: {
      ...(rest as KubeObject['metadata']),
      ...(finalizers.length > 0 && { finalizers: [...finalizers] }),
      ...(isFirst && {
        deletionTimestamp: rfc3339(core.clock.now() + graceSeconds * 1000),
        deletionGracePeriodSeconds: graceSeconds,
        ...(generation !== undefined && { generation: generation + 1 }),
      }),
    },
  })
}

/** The body of a successful removal. It has no code, unlike every other Status. */
export function successStatus({ resource }: Call, object: KubeObject): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(resource.group && { group: resource.group }),
      kind: resource.plural,
      uid: object.metadata.uid,
    },
  })
}

export const undecodableOptions = (why: string) =>
  new StatusError(500, 'InternalError', `Internal error occurred: couldn't get version/kind; ${why}`)
