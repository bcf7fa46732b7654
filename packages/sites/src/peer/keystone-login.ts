/** Logging in at the other site's keystone: discovery, a token by password, and where the services are. */
import { z } from 'zod'
import type { HttpAnswer } from '../http/exchange.ts'
import { PeerRefused, PeerUnreachable } from './peer-site.ts'

export interface Login {
  /** Of keystone, with or without the version at the end. */
  readonly endpoint: string
  readonly username: string
  /** In clear. */
  readonly password: string
}

export interface PeerToken {
  readonly token: string
  /** As long as it lives by the other site's own clock; clocks of two sites are never compared. */
  readonly lifeMs: number
  readonly dcmanagerUrl: string
  readonly platformUrl: string | undefined
}

interface Request {
  readonly method: string
  readonly url: string
  readonly json?: unknown
}

const REGION = 'SystemController'
const MINUTE_MS = 60_000

const endpointSchema = z.object({
  interface: z.string(),
  region: z.string().nullish(),
  region_id: z.string().nullish(),
  url: z.string(),
})
const tokenSchema = z.object({
  token: z.object({
    issued_at: z.string().optional(),
    expires_at: z.string(),
    catalog: z.array(z.object({ type: z.string(), endpoints: z.array(endpointSchema) })),
  }),
})
type Catalog = z.infer<typeof tokenSchema>['token']['catalog']
const versionSchema = z.object({ id: z.string(), links: z.array(z.object({ rel: z.string(), href: z.string() })) })
const discoverySchema = z.object({
  version: versionSchema.optional(),
  versions: z.object({ values: z.array(versionSchema) }).optional(),
})

/** @throws PeerRefused when it says no; PeerUnreachable when what it says cannot be read */
export async function logIn(
  { endpoint, username, password }: Login,
  send: (request: Request) => Promise<HttpAnswer>,
): Promise<PeerToken> {
  const base = await versionedUrl(endpoint, send)
  const domain = { name: 'Default' }
  const answer = await send({
    method: 'POST',
    url: `${base}/auth/tokens`,
    json: {
      auth: {
        identity: { methods: ['password'], password: { user: { name: username, password, domain } } },
        scope: { project: { name: 'admin', domain } },
      },
    },
  })
  if (answer.status !== 201) throw loginFailed(answer.status)
  const parsed = tokenSchema.safeParse(jsonOf(answer))
  const token = answer.headers['x-subject-token']
  if (!parsed.success || !token) throw new PeerUnreachable('the peer site gave no token that can be read')
  const { catalog, issued_at: issuedAt, expires_at: expiresAt } = parsed.data.token
  const dcmanagerUrl = publicUrl(catalog, 'dcmanager')
  if (!dcmanagerUrl) throw new PeerRefused(404, `the peer site has no public dcmanager endpoint in region ${REGION}`)
  return {
    token,
    lifeMs: issuedAt === undefined ? 5 * MINUTE_MS : Math.max(0, Date.parse(expiresAt) - Date.parse(issuedAt)),
    dcmanagerUrl,
    platformUrl: publicUrl(catalog, 'platform'),
  }
}

const loginFailed = (status: number) =>
  status >= 500
    ? new PeerUnreachable(`the keystone of the peer site answered ${status}`)
    : new PeerRefused(status, 'the peer site does not accept the user name and password it was added with')

async function versionedUrl(endpoint: string, send: (request: Request) => Promise<HttpAnswer>): Promise<string> {
  const base = endpoint.replace(/\/+$/, '')
  if (base.endsWith('/v3')) return base
  const parsed = discoverySchema.safeParse(jsonOf(await send({ method: 'GET', url: `${base}/` })))
  const versions = parsed.success ? [parsed.data.version, ...(parsed.data.versions?.values ?? [])] : []
  const link = versions.find(version => version?.id.startsWith('v3'))?.links.find(({ rel }) => rel === 'self')
  return link ? link.href.replace(/\/+$/, '') : `${base}/v3`
}

function publicUrl(catalog: Catalog, type: string): string | undefined {
  const endpoints = catalog.filter(service => service.type === type).flatMap(service => service.endpoints)
  const found = endpoints.find(
    endpoint => endpoint.interface === 'public' && (endpoint.region_id ?? endpoint.region) === REGION,
  )
  return found?.url.replace(/\/+$/, '')
}

/** undefined: no JSON. */
export function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}
