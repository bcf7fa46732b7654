import { InvalidContinue } from './errors.ts'
import type { Place } from './place.ts'
import type { Collection } from './types.ts'

/** Where a paged list stands. */
export interface Cursor {
  readonly collection: Collection
  /** Namespace the list is confined to. */
  readonly namespace: string | undefined
  /** Version of the snapshot; `newestVersion` takes the newest one and makes it the snapshot of the following pages. */
  readonly version: number
  /** Key of the last item delivered. */
  readonly last: Place
  /** Server instance that made the token: after a restart the history a snapshot needs is gone. */
  readonly instance: string
}

/** Cursor version that asks for an inconsistent rest of a list. */
export const newestVersion = -1

/** The opaque form of `cursor`: base64url, safe in a URL. */
export function encodeCursor(cursor: Cursor): string {
  const { collection, namespace, version, last, instance } = cursor
  const fields = [collection, namespace ?? null, version, last.namespace, last.name, instance]
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}

/** Reads a token; throws InvalidContinue when it was not made by `encodeCursor` for this very list. */
export function decodeCursor(token: string, list: { collection: Collection; namespace: string | undefined }): Cursor {
  const fields = parseFields(token)
  const [collection, namespace, version, lastNamespace, lastName, instance] = fields
  if (fields.length !== 6 || typeof instance !== 'string') throw new InvalidContinue('unknown shape')
  if (typeof lastNamespace !== 'string' || typeof lastName !== 'string') throw new InvalidContinue('no last key')
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < newestVersion) {
    throw new InvalidContinue('no version')
  }
  const isSameList = collection === list.collection && namespace === (list.namespace ?? null)
  if (!isSameList || (list.namespace !== undefined && lastNamespace !== list.namespace)) {
    throw new InvalidContinue('it belongs to another list')
  }
  return { ...list, version, last: { namespace: lastNamespace, name: lastName }, instance }
}

function parseFields(token: string): readonly unknown[] {
  try {
    const fields: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (Array.isArray(fields)) return fields
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
  }
  throw new InvalidContinue('unreadable')
}
