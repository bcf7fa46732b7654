/** Who the operator is to a registry. Nothing here may reach a log, an error or a status. */

export type RegistryCredentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for access tokens at the registry's token service. */
  | { readonly kind: 'refreshToken'; readonly token: string }

export interface RegistryCredentialSource {
  /** Undefined: none are known for this host. Asked before each token is fetched, so that rotated ones are picked up. */
  find(host: string): Promise<RegistryCredentials | undefined>
}

export const anonymous: RegistryCredentialSource = Object.freeze({ find: async () => undefined })

/** The first source that knows the host. */
export const firstOf = (...sources: readonly RegistryCredentialSource[]): RegistryCredentialSource => ({
  async find(host) {
    for (const source of sources) {
      const found = await source.find(host)
      if (found) return found
    }
    return undefined
  },
})

export const basicHeader = ({ username, password }: Extract<RegistryCredentials, { kind: 'password' }>) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
