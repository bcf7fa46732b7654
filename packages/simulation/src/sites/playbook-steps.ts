/** The rehome playbook as a simulated subcloud goes through it, in its order. Pure. */

export const PLAYBOOK_STEPS = [
  'read overrides',
  'validate target',
  'recover certificates',
  'validate before rehome',
  'check services',
  'read destination values',
  'install CA',
  'configure admin endpoints',
  'configure network',
  'update keystone data',
  'renew IPsec certificates',
  'validate after rehome',
] as const
export type PlaybookStep = (typeof PLAYBOOK_STEPS)[number]

/** From the end of this step on the subcloud trusts the new site only, whatever becomes of the rest. */
export const HOME_SWITCH: PlaybookStep = 'update keystone data'

export interface SimulatedRun {
  readonly runId: string
  readonly region: string
  readonly bootstrapAddress: string
  readonly sysadminPassword: string
  /** UUID of the site that takes the subcloud in, and the secret by which it is known from then on. */
  readonly site: string
  readonly credentials: string
  /** Release of the site. */
  readonly destinationRelease: string
}

/** What a playbook finds out about its target. */
export interface Target {
  readonly region: string
  readonly sysadminPassword: string
  readonly release: string
  readonly hasManagementAlarm: boolean
}

const OLDEST_RELEASE = '22.12'

/** @param target what answers at the bootstrap address @returns why this step fails by itself */
export function refusalOf(step: PlaybookStep, run: SimulatedRun, target: Target | undefined): string | undefined {
  if (step === 'validate target') {
    if (!target) return `UNREACHABLE! => {"msg": "Failed to connect to the host ${run.bootstrapAddress} via ssh"}`
    if (target.sysadminPassword !== run.sysadminPassword) return 'UNREACHABLE! => {"msg": "Invalid/incorrect password"}'
    if (target.region !== run.region) return `FAILED! => {"msg": "the host is of region ${target.region}"}`
  }
  if (step === 'validate before rehome' && target) {
    const { release } = target
    if (compareReleases(release, OLDEST_RELEASE) < 0) return `FAILED! => {"msg": "release ${release} is too old"}`
    if (compareReleases(release, run.destinationRelease) > 0)
      return `FAILED! => {"msg": "release ${release} is newer than that of the system controller"}`
    if (target.hasManagementAlarm) return 'FAILED! => {"msg": "there are management-affecting alarms"}'
  }
  return undefined
}

function compareReleases(left: string, right: string): number {
  const [leftYear = 0, leftMonth = 0] = left.split('.').map(Number)
  const [rightYear = 0, rightMonth = 0] = right.split('.').map(Number)
  return leftYear - rightYear || leftMonth - rightMonth
}
