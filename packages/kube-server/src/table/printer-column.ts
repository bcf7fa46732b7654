import type { Json, KubeObject } from '../api/object.ts'
import type { PrinterColumn } from '../crd/definition.ts'
import type { Column } from '../registry/resource.ts'
import { ageOf } from './age.ts'
import { evaluatePath, parsePath } from './json-path.ts'

/** A column of a custom resource's table. A path that finds nothing leaves the cell empty. */
export function printerColumn(declared: PrinterColumn): Column {
  const path = parsePath(declared.jsonPath)
  return {
    name: declared.name,
    type: declared.type,
    format: declared.format ?? '',
    description: declared.description ?? `Custom resource definition column (in JSONPath format): ${declared.jsonPath}`,
    priority: declared.priority ?? 0,
    read(object: KubeObject, nowMs: number): Json {
      const values = evaluatePath(path, object)
      const value = values[0]
      if (value === undefined || value === null) return null
      return cell(values, declared.type, nowMs)
    },
  }
}

function cell(values: readonly Json[], type: string, nowMs: number): Json {
  const value = values[0] ?? null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? ageOf(value, nowMs) : null
    default:
      return values.map(text).join(' ')
  }
}

const text = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value))
