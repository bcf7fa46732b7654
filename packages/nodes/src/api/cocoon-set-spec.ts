/** What a user asks of a CocoonSet. Fields, defaults and limits are those of the reference. */
import { z } from 'zod'
import { type connType, envFromSource, mode, port, vmOptions } from './vm-options.ts'

const agent = z.object({
  replicas: z.int().min(0).default(0).describe('Number of sub-agents; the main agent is always extra.'),
  image: z.string().min(1),
  mode: mode.default('clone'),
  ...vmOptions,
  envFrom: z.array(envFromSource).optional(),
  serviceAccountName: z.string().optional(),
})

const TOOLBOX_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'

const toolbox = z.object({
  name: z.string().min(1).max(63).regex(new RegExp(TOOLBOX_NAME)),
  image: z.string().optional(),
  mode: z.enum(['run', 'clone', 'static']).default('run'),
  staticIP: z.string().optional(),
  staticVMID: z.string().optional(),
  vncPort: port.optional(),
  ...vmOptions,
})

const LABEL_VALUE = '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$'

export const cocoonSetSpec = z
  .object({
    suspend: z.boolean().optional().describe('Hibernate every managed VM of the set.'),
    snapshotPolicy: z
      .enum(['always', 'main-only', 'never'])
      .default('always')
      .describe('Whether the node agent pushes :latest when a pod is deleted.'),
    hibernatePolicy: z
      .enum(['retain', 'release'])
      .default('retain')
      .describe('retain keeps the pods while suspended; release deletes them once every snapshot is verified.'),
    nodePool: z.string().default('default').describe('Value of the node label cocoonstack.io/pool.'),
    snapshotCompatibilityClass: z
      .string()
      .max(63)
      .regex(new RegExp(LABEL_VALUE))
      .optional()
      .describe('Value of the node label cocoonstack.io/snapshot-cpu-class.'),
    nodeName: z.string().optional().describe('Where the main agent runs. A change moves its VM with its state.'),
    agent,
    toolboxes: z.array(toolbox).optional(),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "!has(self.hibernatePolicy) || self.hibernatePolicy != 'release' || ((!has(self.agent.replicas) || self.agent.replicas == 0) && (!has(self.toolboxes) || size(self.toolboxes) == 0))",
        message: 'hibernatePolicy release is for sets with only a main agent: no sub-agents, no toolboxes',
        fieldPath: '.hibernatePolicy',
      },
      {
        rule: '!has(oldSelf.snapshotCompatibilityClass) || (has(self.snapshotCompatibilityClass) && self.snapshotCompatibilityClass == oldSelf.snapshotCompatibilityClass)',
        message: 'snapshotCompatibilityClass cannot be changed or removed once it is set',
        fieldPath: '.snapshotCompatibilityClass',
      },
    ],
  })

export type CocoonSetSpec = z.infer<typeof cocoonSetSpec>
export type AgentSpec = CocoonSetSpec['agent']
export type ToolboxSpec = NonNullable<CocoonSetSpec['toolboxes']>[number]
export type ConnType = z.infer<typeof connType>
