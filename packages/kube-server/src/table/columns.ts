import type { Json, KubeObject } from '../api/object.ts'
import type { Column } from '../registry/resource.ts'
import { fieldAt } from '../rest/selectors.ts'
import { ageOf } from './age.ts'

type Read = (object: KubeObject, nowMs: number) => Json

export interface ColumnOptions {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  /** Above 0 the column shows only in wide output. */
  readonly priority?: number
}

/** A column whose cell is a field path, or is computed. */
export function column(name: string, read: string | Read, options: ColumnOptions = {}): Column {
  return {
    name,
    type: options.type ?? 'string',
    format: options.format ?? '',
    description: options.description ?? name,
    priority: options.priority ?? 0,
    read: typeof read === 'string' ? fieldAt(read) : read,
  }
}

/** How many entries a map or list field has. */
export function countColumn(name: string, field: string): Column {
  return column(
    name,
    object => {
      const value = object[field]
      return value && typeof value === 'object' ? Object.keys(value).length : 0
    },
    { type: 'integer' },
  )
}

export const nameColumn: Column = Object.freeze(
  column('Name', object => object.metadata.name, {
    format: 'name',
    description: 'Name must be unique within a namespace.',
  }),
)

export const ageColumn: Column = Object.freeze(
  column('Age', (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs), {
    description: 'CreationTimestamp is the time at which the server made this object.',
  }),
)
