import { countColumn } from '../../table/columns.ts'
import { defineBuiltin } from '../define.ts'
import { boolean, listOf, record, text } from '../openapi-types.ts'
import type { Resource } from '../resource.ts'

const objectReference = record({
  apiVersion: text,
  kind: text,
  name: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  fieldPath: text,
})

export const serviceAccounts: Resource = defineBuiltin({
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  shortNames: ['sa'],
  subresources: [
    { name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  ],
  description: 'ServiceAccount is an identity for processes.',
  fields: {
    secrets: listOf(objectReference),
    imagePullSecrets: listOf(record({ name: text })),
    automountServiceAccountToken: boolean,
  },
  columns: [countColumn('Secrets', 'secrets')],
})
