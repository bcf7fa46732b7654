/** As much of keystone v3 as the command line asks for: discovery, tokens by password and by token, the catalog. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Identity } from './policies.ts'
import type { Issued, Tokens } from './tokens.ts'

export interface EmbeddedUser extends Identity {
  readonly password: string
}

export interface KeystoneAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

const requestSchema = z.object({
  auth: z.object({
    identity: z.object({
      methods: z.array(z.string()),
      password: z.object({ user: z.object({ name: z.string(), password: z.string() }) }).optional(),
      token: z.object({ id: z.string() }).optional(),
    }),
    scope: z.object({ project: z.object({ name: z.string() }).optional() }).optional(),
  }),
})

const UNAUTHORIZED: KeystoneAnswer = {
  status: 401,
  body: { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } },
}
const NOT_FOUND: KeystoneAnswer = {
  status: 404,
  body: { error: { code: 404, title: 'Not Found', message: 'The token is not valid.' } },
}
const MALFORMED: KeystoneAnswer = {
  status: 400,
  body: { error: { code: 400, title: 'Bad Request', message: 'The authentication request is malformed.' } },
}

export class EmbeddedKeystone {
  readonly #users: readonly EmbeddedUser[]
  readonly #tokens: Tokens

  constructor(users: readonly EmbeddedUser[], tokens: Tokens) {
    this.#users = users
    this.#tokens = tokens
  }

  /** @param baseUrl scheme, host and port under which the client reached us */
  discovery(baseUrl: string): KeystoneAnswer {
    const links = [{ rel: 'self', href: `${baseUrl}/v3/` }]
    const version = { id: 'v3.14', status: 'stable', updated: '2020-04-07T00:00:00Z', links, 'media-types': [] }
    return { status: 200, body: { version } }
  }

  authenticate(request: unknown, baseUrl: string): KeystoneAnswer {
    const parsed = requestSchema.safeParse(request)
    if (!parsed.success) return MALFORMED
    const { identity, scope } = parsed.data.auth
    const known = this.#known(identity)
    if (!known) return UNAUTHORIZED
    const { expiresMs, ...caller } = known
    if (scope?.project && scope.project.name !== caller.project) return UNAUTHORIZED
    const issued = this.#tokens.issue(caller, expiresMs)
    const body = { token: tokenBody(caller, issued, baseUrl, identity.methods) }
    return { status: 201, headers: { 'X-Subject-Token': issued.token, Vary: 'X-Auth-Token' }, body }
  }

  /** Whose a token is, for those who have one themselves. Asking about one of one's own is allowed as well. */
  validate(ownToken: string, subjectToken: string, baseUrl: string): KeystoneAnswer {
    if (!this.#tokens.check(ownToken)) return UNAUTHORIZED
    const known = this.#tokens.check(subjectToken)
    if (!known) return NOT_FOUND
    const { expiresMs, ...caller } = known
    // When it was issued a token does not say; it is asked for its end.
    const issued = { token: subjectToken, issuedMs: expiresMs - this.#tokens.lifeMs, expiresMs }
    const token = tokenBody(caller, issued, baseUrl, ['password'])
    return { status: 200, headers: { 'X-Subject-Token': subjectToken, Vary: 'X-Auth-Token' }, body: { token } }
  }

  #known({ methods, password, token }: z.infer<typeof requestSchema>['auth']['identity']) {
    if (methods.includes('token') && token) return this.#tokens.check(token.id)
    if (!methods.includes('password') || !password) return undefined
    const user = this.#users.find(({ user: name }) => name === password.user.name)
    // Compared also for an unknown name, so that the time tells nobody which names there are.
    if (!isSame(password.user.password, user?.password ?? '') || !user) return undefined
    const { password: _, ...identity } = user
    return { ...identity, expiresMs: Number.POSITIVE_INFINITY }
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()
const isSame = (left: string, right: string) => timingSafeEqual(digest(left), digest(right))
const idOf = (name: string) => digest(name).toString('hex').slice(0, 32)
const time = (epochMs: number) => new Date(epochMs).toISOString().replace('Z', '000Z')

function tokenBody(caller: Identity, { issuedMs, expiresMs }: Issued, baseUrl: string, methods: readonly string[]) {
  const domain = { id: 'default', name: 'Default' }
  const service = (type: string, url: string) => ({
    id: idOf(type),
    type,
    name: type,
    endpoints: ['public', 'internal', 'admin'].map(kind => ({
      id: idOf(`${type} ${kind}`),
      interface: kind,
      region: 'SystemController',
      region_id: 'SystemController',
      url,
    })),
  })
  return {
    methods,
    user: { id: idOf(caller.user), name: caller.user, domain, password_expires_at: null },
    project: { id: idOf(caller.project), name: caller.project, domain },
    is_domain: false,
    roles: caller.roles.map(name => ({ id: idOf(name), name })),
    issued_at: time(issuedMs),
    expires_at: time(expiresMs),
    catalog: [
      service('dcmanager', `${baseUrl}/v1.0`),
      service('identity', `${baseUrl}/v3`),
      service('platform', `${baseUrl}/v1`),
    ],
  }
}
