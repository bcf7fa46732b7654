/** What a site is about, read from its API: peers, groups, operations under way, alarms. */
import { systemClock } from '@godwit/ports'
import { networkExchange, PeerSession } from '@godwit/sites'

export interface StatusOptions {
  readonly authUrl?: string
  readonly username?: string
  readonly password?: string
  readonly json?: boolean
}

type Item = Readonly<Record<string, unknown>>

export interface SiteStatus {
  readonly peers: readonly Item[]
  readonly groups: readonly Item[]
  readonly associations: readonly Item[]
  readonly operations: readonly Item[]
  readonly failovers: readonly Item[]
  readonly alarms: readonly Item[]
}

export async function showSiteStatus({ authUrl, username, password, json }: StatusOptions): Promise<void> {
  if (!authUrl || !username || !password)
    throw new Error('give --auth-url, --username and OS_PASSWORD, or OS_AUTH_URL, OS_USERNAME and OS_PASSWORD')
  const login = { endpoint: authUrl, username, password }
  const status = await readSiteStatus(new PeerSession({ login, exchange: networkExchange, clock: systemClock }))
  console.log(json ? JSON.stringify(status, undefined, 2) : renderSiteStatus(status).join('\n'))
}

export async function readSiteStatus(session: Pick<PeerSession, 'request'>): Promise<SiteStatus> {
  const list = async (path: string): Promise<readonly Item[]> => {
    const [items] = Object.values((await session.request({ method: 'GET', path })) as Readonly<Record<string, unknown>>)
    return items as readonly Item[]
  }
  const groups = await list('/subcloud-peer-groups')
  const counted = groups.map(async group => ({
    ...group,
    ...((await session.request({
      method: 'GET',
      path: `/subcloud-peer-groups/${Number(group['id'])}/status`,
    })) as Item),
  }))
  return {
    peers: await list('/system-peers'),
    groups: await Promise.all(counted),
    associations: await list('/peer-group-associations'),
    operations: (await list('/operations')).filter(({ outcome }) => outcome === null),
    failovers: await list('/failovers'),
    alarms: await list('/alarms'),
  }
}

export function renderSiteStatus({ peers, groups, associations, operations, failovers, alarms }: SiteStatus): string[] {
  const nameOf = (items: readonly Item[], id: unknown, key: string) => items.find(item => item['id'] === id)?.[key]
  return [
    ...section('Peers', peers, peer => [`${peer['peer-name']}: ${peer['availability-state']}`]),
    ...section('Groups', groups, group => [
      `${group['peer_group_name']}: led by ${group['system_leader_name']}, ${group['migration_status'] ?? 'not migrating'}`,
      `${group['total_subclouds']} subclouds: ${group['managed']} managed here, ${group['waiting_for_migrate']} copies, ${group['rehoming']} rehoming, ${group['rehome_failed']} failed`,
      ...associations
        .filter(association => association['peer-group-id'] === group['id'])
        .map(each => `${each['sync-status']} with ${nameOf(peers, each['system-peer-id'], 'peer-name')}`),
    ]),
    ...section('Operations', operations, operation => [
      `${operation['operation_id']} of ${operation['peer_group_name']}: ${operation['stage']}, ${progressOf(operation)}`,
      ...waiting(operation),
    ]),
    ...section('Lost peers', failovers, failover => [
      `${failover['peer-name']}: ${failover['stage']}: ${failover['message']}`,
    ]),
    ...section('Alarms', alarms, alarm => [
      `${alarm['alarm_id']} ${alarm['severity']}: ${alarm['reason_text']}`,
      String(alarm['proposed_repair_action']),
    ]),
  ]
}

/** The first line of an item, and below it what else there is to say of it. */
function section(title: string, items: readonly Item[], lines: (item: Item) => readonly string[]): string[] {
  const shown = items.flatMap(item =>
    lines(item).map((line, index) => `${index === 0 ? '  ' : '      '}${oneLine(line)}`),
  )
  return [title, ...(shown.length > 0 ? shown : ['  none']), '']
}

function progressOf({ progress, eta }: Item): string {
  const { complete, failed, total } = progress as Readonly<Record<string, number>>
  return `${complete} of ${total} moved, ${failed} failed${eta === null ? '' : `, over at about ${eta}`}`
}

const waiting = ({ subclouds }: Item) =>
  (subclouds as readonly Item[])
    .filter(member => member['outcome'] === null && member['waits_for'] !== null)
    .map(
      member =>
        `${member['name']}: ${member['stage']}: waits for ${member['waits_for']} (${member['waits_on']}) since ${member['since']}`,
    )

/** Texts of other sites cannot move the cursor, nor look like lines of ours. */
const oneLine = (text: string) => text.replace(/\p{Cc}+/gu, ' ')
