import { forbidden, invalidValue, tooLong } from '../../api/causes.ts'
import type { JsonObject, KubeObject } from '../../api/object.ts'
import type { Cause } from '../../api/status-error.ts'
import { sameJson } from '../../patch/index.ts'
import { column } from '../../table/columns.ts'
import { defineBuiltin } from '../define.ts'
import { boolean, bytes, mapOf, text } from '../openapi-types.ts'
import type { Draft, Resource } from '../resource.ts'

const maxDataBytes = 1024 * 1024
const keyPattern = /^[-._a-zA-Z0-9]+$/

/** Keys and total size of the data of ConfigMaps and Secrets. */
export function dataCauses(draft: Draft, fields: readonly string[]): Cause[] {
  const causes: Cause[] = []
  const seen = new Set<string>()
  let bytesInAll = 0
  for (const field of fields)
    for (const [key, value] of Object.entries((draft[field] as JsonObject | undefined) ?? {})) {
      if (!keyPattern.test(key) || key.length > 253 || key === '.' || key.startsWith('..'))
        causes.push(
          invalidValue(
            `${field}[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        )
      if (seen.has(key)) causes.push(invalidValue(`${field}[${key}]`, key, 'duplicate of key present in data'))
      seen.add(key)
      bytesInAll += Buffer.byteLength(String(value))
    }
  if (bytesInAll > maxDataBytes)
    causes.push(tooLong(fields[0] === 'data' && fields.length > 1 ? '' : 'data', maxDataBytes))
  return causes
}

/** `immutable: true` freezes the data for ever, and itself. */
export function frozenCauses(draft: Draft, current: KubeObject | undefined, fields: readonly string[]): Cause[] {
  if (current?.['immutable'] !== true) return []
  const causes: Cause[] = []
  const why = 'field is immutable when `immutable` is set'
  if (draft['immutable'] !== true) causes.push(forbidden('immutable', why))
  for (const field of fields)
    if (!sameJson(draft[field] ?? null, current[field] ?? null)) causes.push(forbidden(field, why))
  return causes
}

const dataCount = (object: KubeObject) =>
  Object.keys((object['data'] as JsonObject | undefined) ?? {}).length +
  Object.keys((object['binaryData'] as JsonObject | undefined) ?? {}).length

const fields = ['data', 'binaryData'] as const

export const configMaps: Resource = defineBuiltin({
  plural: 'configmaps',
  kind: 'ConfigMap',
  shortNames: ['cm'],
  description: 'ConfigMap holds configuration data for pods to consume.',
  fields: {
    data: { ...mapOf(text), description: 'Configuration data, text.' },
    binaryData: { ...mapOf(bytes), description: 'Configuration data, base64.' },
    immutable: { ...boolean, description: 'Once true, data cannot change any more.' },
  },
  columns: [column('Data', dataCount, { type: 'integer', description: 'Number of entries' })],
  strategy: {
    validate: (draft, current) => [...dataCauses(draft, fields), ...frozenCauses(draft, current, fields)],
  },
})
