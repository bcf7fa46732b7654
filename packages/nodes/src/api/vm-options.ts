/** How a VM is made: fields that agents and toolboxes share. */
import { z } from 'zod'

const quantity = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true })
const quantities = z.record(z.string(), quantity)

export const resourceRequirements = z
  .object({ limits: quantities.optional(), requests: quantities.optional() })
  .describe('CPU and memory of the pod that stands for the VM.')

const reference = z.object({ name: z.string().optional(), optional: z.boolean().optional() })

export const envFromSource = z.object({
  prefix: z.string().optional(),
  configMapRef: reference.optional(),
  secretRef: reference.optional(),
})

const MAX_PORT = 65_535
export const port = z.int().min(0).max(MAX_PORT)
export const mode = z.enum(['clone', 'run'])
export const connType = z.enum(['ssh', 'rdp', 'vnc', 'adb'])

export const vmOptions = {
  os: z.enum(['linux', 'windows', 'android', 'macos']).default('linux'),
  backend: z.enum(['cloud-hypervisor', 'firecracker']).default('cloud-hypervisor'),
  connType: connType.optional(),
  network: z.string().optional(),
  forcePull: z.boolean().optional(),
  noDirectIO: z.boolean().optional(),
  probePort: port.optional().describe('A TCP probe of this port takes the place of the ICMP probe.'),
  storage: quantity.optional().describe('Size of the root volume.'),
  resources: resourceRequirements.optional(),
} as const
