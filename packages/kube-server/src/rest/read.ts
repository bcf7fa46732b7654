import type { JsonObject } from '../api/object.ts'
import { badRequest, notFound, StatusError } from '../api/status-error.ts'
import type { View } from '../registry/resource.ts'
import { InvalidContinue, type Page, type Stored, VersionExpired } from '../store/index.ts'
import { type Call, type Core, keyOf, subjectOf } from './call.ts'
import { type ListOptions, versionNumber } from './query.ts'
import { type Matches, parseFieldSelector, parseLabelSelector } from './selectors.ts'
import { expired, listVersions, waitForVersion } from './versions.ts'

export async function getObject(core: Core, call: Call): Promise<View> {
  const version = versionNumber(call.query.get('resourceVersion') ?? '')
  if (version) await waitForVersion(core, version)
  const stored = core.store.get(keyOf(call.resource, call.namespace, call.name))
  if (!stored) throw notFound(subjectOf(call))
  return call.resource.view(stored)
}

export interface Listed {
  readonly views: readonly View[]
  /** ListMeta. */
  readonly metadata: JsonObject
}

/** The selectors of a list or watch as one test; undefined when everything matches. Throws 400. */
export function selectorOf(
  call: Call,
  options: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>,
): Matches | undefined {
  const labels = parseLabelSelector(options.labelSelector)
  const fields = parseFieldSelector(options.fieldSelector, call.resource.fields)
  if (!labels || !fields) return labels ?? fields
  return object => labels(object) && fields(object)
}

export async function listObjects(core: Core, call: Call, options: ListOptions): Promise<Listed> {
  const matches = selectorOf(call, options)
  const versions = listVersions(options)
  await waitForVersion(core, versions.notOlderThan ?? versions.exact ?? 0)
  const limit = versions.ignoresLimit ? undefined : options.limit
  const { resource, namespace } = call
  const page = readPage(core, call, {
    ...(namespace !== '' && { namespace }),
    ...(limit !== undefined && limit > 0 && { limit }),
    ...(options.continue !== '' && { continue: options.continue }),
    ...(versions.exact !== undefined && { exactVersion: versions.exact }),
    ...(matches && { matches: (stored: Stored) => matches(resource.view(stored).object) }),
  })
  return {
    views: page.items.map(stored => resource.view(stored)),
    metadata: listMeta(call, page, matches !== undefined),
  }
}

function readPage(core: Core, { resource }: Call, options: Parameters<Core['store']['list']>[1]): Page {
  try {
    const page = core.store.list(resource.collection, options)
    if (page.version >= resource.historyStart) return page
    // A version, or a continue token, from the time of an earlier definition of this name.
    throw expired(`The resourceVersion for the provided list is too old: ${page.version} (${resource.historyStart})`)
  } catch (error) {
    if (error instanceof InvalidContinue) throw badRequest(error.message)
    if (error instanceof VersionExpired) throw expiredList(error)
    throw error
  }
}

/** A page whose snapshot is gone; the client may go on with the newest state where it left off. */
export class ExpiredList extends StatusError {
  readonly continue: string | undefined

  constructor(message: string, next: string | undefined) {
    super(410, 'Expired', message)
    this.continue = next
  }

  override toStatus(): JsonObject {
    return { ...super.toStatus(), metadata: this.continue ? { continue: this.continue } : {} }
  }
}

function expiredList(error: VersionExpired): StatusError {
  if (error.inconsistentNext === undefined) return expired(error.message)
  return new ExpiredList(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    error.inconsistentNext,
  )
}

function listMeta({ resource }: Call, page: Page, isSelected: boolean): JsonObject {
  const metadata: JsonObject = { resourceVersion: String(page.version) }
  if (page.next !== undefined) metadata['continue'] = page.next
  // Lists of custom resources show an empty token on their last page, others none.
  else if (resource.custom) metadata['continue'] = ''
  if (page.next !== undefined && !isSelected) metadata['remainingItemCount'] = page.remaining
  return metadata
}
