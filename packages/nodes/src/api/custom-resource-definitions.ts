import { customObjectSchema } from '@godwit/kube'
import { z } from 'zod'
import { cocoonHibernationSchema } from './cocoon-hibernation.ts'
import { cocoonSetSchema } from './cocoon-set.ts'
import { GROUP } from './names.ts'

const schemaOf = (schema: z.ZodType) =>
  customObjectSchema(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }))

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

function definition(kind: string, shortNames: readonly string[], columns: readonly object[], schema: z.ZodType) {
  const singular = kind.toLowerCase()
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: `${singular}s`, singular, kind, listKind: `${kind}List`, shortNames, categories: ['cocoon'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [...columns, age],
          schema: { openAPIV3Schema: schemaOf(schema) },
        },
      ],
    },
  } as const
}

export const cocoonSetCrd = definition(
  'CocoonSet',
  ['cs'],
  [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Ready', type: 'integer', jsonPath: '.status.readyAgents' },
    { name: 'Desired', type: 'integer', jsonPath: '.status.desiredAgents' },
  ],
  cocoonSetSchema,
)

export const cocoonHibernationCrd = definition(
  'CocoonHibernation',
  ['ch'],
  [
    { name: 'Pod', type: 'string', jsonPath: '.spec.podRef.name' },
    { name: 'Desire', type: 'string', jsonPath: '.spec.desire' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
  ],
  cocoonHibernationSchema,
)
