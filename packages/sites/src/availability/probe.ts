/** Asking a subcloud whether it works, with the credentials of this site. */

export interface ProbedSubcloud {
  readonly name: string
  readonly region: string
  /** At which its services are reached. */
  readonly address: string
}

/** `unauthorized`: it answers, and does not trust this site (any more). */
export type Presence = 'online' | 'offline' | 'unauthorized'

export interface SubcloudProbe {
  /** Never rejects: what cannot be asked is offline. */
  presence(subcloud: ProbedSubcloud, signal: AbortSignal): Promise<Presence>
}
