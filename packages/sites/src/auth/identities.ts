import type { Identity } from './policies.ts'
import type { Tokens } from './tokens.ts'

/** Who a token belongs to. */
export interface Identities {
  /** undefined: the token is not valid, or not any more. @throws Retryable when nobody can tell at the moment */
  identify(token: string): Promise<Identity | undefined>
}

/** Of tokens that this service issues itself. */
export const ownIdentities = (tokens: Tokens): Identities => ({
  identify: async token => tokens.check(token),
})
