import { immutableField, invalidValue, requiredValue } from '../../api/causes.ts'
import type { JsonObject, KubeObject } from '../../api/object.ts'
import type { Cause } from '../../api/status-error.ts'
import { column, countColumn } from '../../table/columns.ts'
import { defineBuiltin } from '../define.ts'
import { boolean, bytes, mapOf, text } from '../openapi-types.ts'
import type { Draft, Resource } from '../resource.ts'
import { dataCauses, frozenCauses } from './config-map.ts'

/** Keys that a typed secret must have. */
const neededKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
])
const serviceAccountToken = 'kubernetes.io/service-account-token'
const serviceAccountName = 'kubernetes.io/service-account.name'

/** `stringData` is written, never read: it becomes part of `data`. */
function foldStringData(draft: Draft): void {
  const plain = draft['stringData'] as { [key: string]: string } | undefined
  delete draft['stringData']
  if (!plain) return
  const data: JsonObject = { ...(draft['data'] as JsonObject | undefined) }
  for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(value).toString('base64')
  draft['data'] = data
}

function typeCauses(draft: Draft): Cause[] {
  const data = (draft['data'] as JsonObject | undefined) ?? {}
  const type = String(draft['type'])
  const causes = (neededKeys.get(type) ?? [])
    .filter(key => data[key] === undefined)
    .map(key => requiredValue(`data[${key}]`))
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined)
    causes.push(requiredValue('data[username]'), requiredValue('data[password]'))
  if (type === serviceAccountToken && !draft.metadata.annotations?.[serviceAccountName])
    causes.push(requiredValue(`metadata.annotations[${serviceAccountName}]`))
  for (const key of ['.dockercfg', '.dockerconfigjson'])
    if (neededKeys.get(type)?.includes(key) && data[key] !== undefined && !isJson(String(data[key])))
      causes.push(invalidValue(`data[${key}]`, '<secret contents redacted>', 'invalid character'))
  return causes
}

function isJson(base64: string): boolean {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString())
    return true
  } catch {
    return false
  }
}

function validate(draft: Draft, current: KubeObject | undefined): Cause[] {
  const causes = [...dataCauses(draft, ['data']), ...typeCauses(draft), ...frozenCauses(draft, current, ['data'])]
  if (current && draft['type'] !== current['type']) causes.push(immutableField('type', draft['type']))
  return causes
}

export const secrets: Resource = defineBuiltin({
  plural: 'secrets',
  kind: 'Secret',
  description: 'Secret holds secret data of a certain type.',
  fields: {
    data: { ...mapOf(bytes), description: 'Secret data, base64.' },
    stringData: { ...mapOf(text), description: 'Write-only: plain text that the server folds into data.' },
    type: { ...text, description: 'Facilitates programmatic handling of secret data.' },
    immutable: boolean,
  },
  selectable: ['type'],
  columns: [column('Type', 'type'), countColumn('Data', 'data')],
  strategy: {
    applyDefaults(draft) {
      draft['type'] ||= 'Opaque'
      foldStringData(draft)
    },
    validate,
  },
})
