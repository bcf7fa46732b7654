/** The configuration file of a site, as it is written. What each key is for stands in `hints.ts`. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { addressField, nameField, uuidField } from '../http/fields.ts'

const text = z.string().min(1)
const checked = (field: z.ZodType<string, string>, what: string) =>
  text.refine(value => field.safeParse(value).success, what).pipe(field)
const uuid = checked(uuidField, 'must be a UUID')
const address = checked(addressField, 'must be an IP address')
const port = z.int().min(0).max(65_535)
const seconds = (least: number, most: number) => z.number().min(least).max(most)
const httpUrl = text.regex(/^https?:\/\/[^\s]+$/, 'must begin with http:// or https://')
const subnet = text.refine(value => {
  const [address = '', length = ''] = value.split('/')
  return /^\d{1,3}$/.test(length) && isIP(address) !== 0
}, 'must be an address and a length, as 192.168.204.0/24')

const user = z.strictObject({
  user: text,
  passwordFile: text,
  project: text.default('admin'),
  roles: z.array(text).min(1),
  peerUuid: uuid.optional(),
})

const embedded = z.strictObject({ tokenKeyFile: text, users: z.array(user).min(1) })

const keystone = z.strictObject({
  url: httpUrl,
  username: text,
  passwordFile: text,
  project: text.default('services'),
  peers: z.record(text, uuid).default({}),
})

const ansible = z.strictObject({
  playbooksFolder: text,
  runsFolder: text,
  controllerValuesFile: text,
  program: text.default('ansible-playbook'),
  totalMinutes: z.number().min(1).max(1440).default(60),
  connectTimeoutSeconds: z.int().min(10).max(3600).default(180),
  subcloudUser: text.default('dcmanager'),
  subcloudPasswordFile: text,
  subcloudCaFile: text.optional(),
})

const simulated = z.strictObject({ url: httpUrl, credentials: text })

export const configSchema = z.strictObject({
  site: z.strictObject({
    uuid,
    name: checked(nameField, 'must be a name: not only digits, no patterns'),
    softwareVersion: text,
  }),
  network: z.strictObject({
    managementSubnet: subnet,
    managementPool: z.strictObject({ start: address, end: address }),
    managementAddress: address,
    oamSubnet: subnet,
    oamAddress: address,
  }),
  database: z
    .strictObject({
      sqlite: text.optional(),
      postgres: text.regex(/^postgres(ql)?:\/\//, 'must begin with postgres://').optional(),
      postgresFile: text.optional(),
      connections: z.int().min(2).max(1000).optional(),
    })
    .superRefine(exactlyOne('sqlite', 'postgres', 'postgresFile')),
  secretsKeyFile: text,
  api: z
    .strictObject({
      host: text.default('127.0.0.1'),
      port: port.default(8119),
      publicUrl: httpUrl.regex(/[^/]$/, 'must not end with a slash').optional(),
      trustsUserAgent: z.boolean().default(false),
    })
    .prefault({}),
  probes: z.strictObject({ host: text.default('127.0.0.1'), port: port.default(8121) }).prefault({}),
  auth: z
    .strictObject({ embedded: embedded.optional(), keystone: keystone.optional() })
    .superRefine(exactlyOne('embedded', 'keystone')),
  subclouds: z
    .strictObject({
      auditSeconds: seconds(0.05, 3600).default(40),
      ansible: ansible.optional(),
      simulated: simulated.optional(),
    })
    .superRefine(exactlyOne('ansible', 'simulated')),
  failover: z
    .strictObject({
      holdDownSeconds: seconds(0, 86_400).default(300),
      maxGroups: z.int().min(0).default(1),
      maxSubclouds: z.int().min(0).default(100),
      sysadminPasswordFile: text.optional(),
      secondPaths: z.record(uuid, z.array(httpUrl)).default({}),
    })
    .prefault({}),
  work: z
    .strictObject({ leaseSeconds: seconds(1, 600).default(15), pollSeconds: seconds(0.05, 60).default(1) })
    .prefault({}),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})

export type ConfigFile = z.infer<typeof configSchema>

function exactlyOne(...keys: readonly string[]) {
  return (given: Readonly<Record<string, unknown>>, context: z.RefinementCtx) => {
    const count = keys.filter(key => given[key] !== undefined).length
    if (count !== 1) context.addIssue({ code: 'custom', message: `needs exactly one of ${keys.join(', ')}` })
  }
}
