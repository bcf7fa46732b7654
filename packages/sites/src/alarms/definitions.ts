/** Alarms of this service: ids, severities and repair actions as operators of such sites know them. */

export type Severity = 'critical' | 'major'

export interface Alarm {
  readonly id: '280.001' | '280.002' | '280.004' | '280.005'
  /** What it is about; with the id it names one alarm. */
  readonly entity: string
  readonly severity: Severity
  /** What is wrong. */
  readonly text: string
  /** What a person can do. */
  readonly repair: string
  readonly isServiceAffecting: boolean
}

export const alarmKey = ({ id, entity }: Pick<Alarm, 'id' | 'entity'>) => `${id} ${entity}`

export const subcloudOffline = (subcloud: string): Alarm => ({
  id: '280.001',
  entity: `subcloud=${subcloud}`,
  severity: 'critical',
  text: `${subcloud} is offline`,
  repair:
    'Wait for the subcloud to become online. If it stays offline, check the network between the sites and the health of the subcloud.',
  isServiceAffecting: true,
})

export const subcloudOutOfSync = (subcloud: string, resource: string): Alarm => ({
  id: '280.002',
  entity: `subcloud=${subcloud}.resource=${resource}`,
  severity: 'major',
  text: `${subcloud} ${resource} is out-of-sync`,
  repair:
    'Wait for the synchronisation to finish. If it does not, look at the status of the subcloud and unmanage and manage it again.',
  isServiceAffecting: true,
})

export interface LostPeer {
  readonly uuid: string
  readonly name: string
  /** Local groups that the peer leads: nobody looks after their subclouds now. */
  readonly ledGroups: readonly string[]
}

export const peerUnreachable = ({ uuid, name, ledGroups }: LostPeer): Alarm => ({
  id: '280.004',
  entity: `peer=${uuid}`,
  severity: ledGroups.length > 0 ? 'critical' : 'major',
  text:
    ledGroups.length > 0
      ? `Peer site ${name} cannot be reached; it leads these subcloud peer groups: ${ledGroups.join(', ')}`
      : `Peer site ${name} cannot be reached`,
  repair:
    'Check the connection to the peer site and its health. If the site is lost, migrate the subcloud peer groups that it leads to this one.',
  isServiceAffecting: false,
})

export interface GroupAway {
  readonly group: string
  readonly peerUuid: string
  readonly peerName: string
}

export const groupLedByPeer = ({ group, peerUuid, peerName }: GroupAway): Alarm => ({
  id: '280.005',
  entity: `peer_group=${group},peer=${peerUuid}`,
  severity: 'major',
  text: `Subcloud peer group ${group} is managed by peer site ${peerName}, which has a lower priority`,
  repair: 'When this site is healthy again, migrate the subcloud peer group back to it.',
  isServiceAffecting: false,
})
