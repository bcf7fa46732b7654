/** Tokens that any replica with the same key can check, so that none of them has to remember one. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@godwit/ports'
import { z } from 'zod'
import type { Identity } from './policies.ts'

const payloadSchema = z.object({
  user: z.string(),
  project: z.string(),
  roles: z.array(z.string()),
  peerUuid: z.string().optional(),
  expiresMs: z.number(),
})

export interface Issued {
  readonly token: string
  readonly issuedMs: number
  readonly expiresMs: number
}

export class Tokens {
  readonly #key: string
  readonly #clock: Clock
  readonly lifeMs: number

  /** @param key a secret that all replicas share, at least 32 characters */
  constructor({ key, clock, lifeMs = 3_600_000 }: { key: string; clock: Clock; lifeMs?: number }) {
    if (key.length < 32) throw new Error('the key that signs tokens needs at least 32 characters')
    this.#key = key
    this.#clock = clock
    this.lifeMs = lifeMs
  }

  /** @param untilMs the new token ends then at the latest: renewing a token never lengthens it */
  issue(identity: Identity, untilMs = Number.POSITIVE_INFINITY): Issued {
    const issuedMs = this.#clock.now()
    const expiresMs = Math.min(issuedMs + this.lifeMs, untilMs)
    const payload = Buffer.from(JSON.stringify({ ...identity, expiresMs })).toString('base64url')
    return { token: `${payload}.${this.#sign(payload)}`, issuedMs, expiresMs }
  }

  /** @returns undefined for a token that is not ours, or is over */
  check(token: string): (Identity & { readonly expiresMs: number }) | undefined {
    const [payload, signature] = token.split('.')
    if (payload === undefined || signature === undefined) return undefined
    const given = Buffer.from(signature)
    const right = Buffer.from(this.#sign(payload))
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    const { peerUuid, ...identity } = payloadSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    if (identity.expiresMs <= this.#clock.now()) return undefined
    return peerUuid === undefined ? identity : { ...identity, peerUuid }
  }

  #sign(payload: string): string {
    return createHmac('sha256', this.#key).update(payload).digest('base64url')
  }
}
