/** Who may do what. The role counts only in a project of the controller's own. */

export const POLICIES = {
  change: ['admin', 'configurator'],
  read: ['admin', 'reader', 'operator', 'configurator'],
  manage: ['admin', 'operator', 'configurator'],
} as const
export type Policy = keyof typeof POLICIES

const PROJECTS: readonly string[] = ['admin', 'services']

export interface Identity {
  readonly user: string
  readonly project: string
  readonly roles: readonly string[]
  /** Of the other site whose credential this is; undefined: a person or program of this one (H19). */
  readonly peerUuid?: string
}

export const permits = (policy: Policy, { project, roles }: Identity) =>
  PROJECTS.includes(project) && roles.some(role => (POLICIES[policy] as readonly string[]).includes(role))

/** Says that it is the other site, and does not say which one: see `trustsUserAgent`. */
export const UNNAMED_PEER = '00000000-0000-0000-0000-000000000000'

export const isPeer = ({ peerUuid }: Identity) => peerUuid !== undefined
