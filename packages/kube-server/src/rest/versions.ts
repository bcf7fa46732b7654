/** What resourceVersion and resourceVersionMatch of a read mean, and waiting for versions still to come. */
import { forbidden, unsupportedValue } from '../api/causes.ts'
import { badRequest, type Cause, StatusError } from '../api/status-error.ts'
import type { Core } from './call.ts'
import { type ListOptions, optionsError, versionNumber } from './query.ts'

/** How long a read waits for a version that the server does not have yet. */
const freshWaitMs = 3000

/** Resolves when the store has reached `version`; throws 504 when that takes too long. */
export async function waitForVersion(core: Core, version: number): Promise<void> {
  const { store, clock } = core
  if (version <= store.version) return
  const patience = new AbortController()
  const cancel = clock.after(freshWaitMs, () => patience.abort())
  try {
    await store.reached(version, patience.signal)
  } catch (error) {
    if (!patience.signal.aborted) throw error
    throw tooLargeVersion(version, store.version)
  } finally {
    cancel()
  }
}

export function tooLargeVersion(asked: number, newest: number): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${newest}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
    retryAfterSeconds: 1,
  })
}

export const expired = (message: string) => new StatusError(410, 'Expired', message)

export interface ListVersions {
  /** The list must not be older than this. */
  readonly notOlderThan: number | undefined
  /** The list must be of exactly this version. */
  readonly exact: number | undefined
  /** A read at any version ignores the limit. */
  readonly ignoresLimit: boolean
}

const matches = ['Exact', 'NotOlderThan', '']

/** Checks the combination of parameters of a list. Throws 422 or 400. */
export function listVersions(options: ListOptions): ListVersions {
  const causes = listCauses(options)
  if (causes.length > 0) throw optionsError('ListOptions', causes)
  const { resourceVersion, resourceVersionMatch: match, limit = 0 } = options
  const version = versionNumber(resourceVersion)
  if (options.continue !== '') {
    if (version !== undefined && version !== 0)
      throw badRequest('specifying resource version is not allowed when using continue')
    return { notOlderThan: undefined, exact: undefined, ignoresLimit: false }
  }
  const isExact = match === 'Exact' || (match === '' && limit > 0 && version !== undefined && version > 0)
  return {
    notOlderThan: isExact ? undefined : version,
    exact: isExact ? version : undefined,
    ignoresLimit: version === 0,
  }
}

function listCauses(options: ListOptions): Cause[] {
  const { resourceVersion, resourceVersionMatch: match } = options
  if (options.sendInitialEvents !== undefined)
    return [forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]
  if (match === '') return []
  const causes: Cause[] = []
  const field = 'resourceVersionMatch'
  if (options.continue !== '')
    causes.push(forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'))
  if (resourceVersion === '')
    causes.push(forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (!matches.includes(match)) causes.push(unsupportedValue(field, match, matches))
  if (match === 'Exact' && resourceVersion === '0')
    causes.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  return causes
}

/** Checks the parameters of a watch. Throws 422. */
export function checkWatchOptions(options: ListOptions): void {
  const { resourceVersionMatch: match, sendInitialEvents } = options
  const causes: Cause[] = []
  if (sendInitialEvents === undefined) {
    if (match !== '')
      causes.push(
        forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      )
  } else if (match === '')
    causes.push(
      forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    )
  else if (match !== 'NotOlderThan') causes.push(unsupportedValue('resourceVersionMatch', match, ['NotOlderThan']))
  if (causes.length > 0) throw optionsError('ListOptions', causes)
}
