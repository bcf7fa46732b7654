/** What is wrong with the end of a run, when nothing has changed for a while and both sites see each other. */
import { isDeepStrictEqual } from 'node:util'
import type { Look, SiteLook } from './look.ts'
import type { SitesWorld } from './world.ts'

export interface EndState {
  readonly homes: readonly string[]
  readonly members: readonly (readonly unknown[])[]
  readonly groups: readonly unknown[]
  readonly associations: readonly unknown[]
  readonly alarms: readonly string[]
}

export async function endOf(world: SitesWorld): Promise<EndState> {
  const { a, b, homes } = await world.look()
  return {
    homes,
    members: [a, b].map(({ members }) =>
      members.map(({ name, deployStatus, isManaged, availability, payload }) => [
        name,
        deployStatus,
        isManaged,
        availability,
        payload,
      ]),
    ),
    groups: [a.group, b.group],
    associations: [a, b].map(({ associations }) => associations.map(({ syncStatus }) => syncStatus)),
    alarms: [...a.alarms.map(alarm => `a ${alarm}`), ...b.alarms.map(alarm => `b ${alarm}`)].sort(),
  }
}

/** @returns one line for each part in which the ends differ */
export function compareEnds(expected: EndState, actual: EndState): string[] {
  return (['homes', 'members', 'groups', 'associations', 'alarms'] as const).flatMap(part =>
    isDeepStrictEqual(expected[part], actual[part])
      ? []
      : [`J0: ${part}: ${JSON.stringify(actual[part])} instead of ${JSON.stringify(expected[part])}`],
  )
}

export async function judge(world: SitesWorld): Promise<readonly string[]> {
  const look = await world.look()
  return [
    ...world.watch.violations,
    ...world.subclouds.violations,
    ...owners(look),
    ...copies(look),
    ...endings(look),
    ...operations(world, look),
    ...leftRuns(world),
  ]
}

/** J1: one site manages each subcloud, and it is the one that the subcloud trusts. */
function owners({ a, b, homes }: Look): string[] {
  return a.members.flatMap(member => {
    const copy = b.members.find(({ region }) => region === member.region)
    const home = homes[Number(member.region[0]) - 1]
    const owner = [...(member.isManaged ? ['a'] : []), ...(copy?.isManaged ? ['b'] : [])]
    return owner.length === 1 && owner[0] === home
      ? []
      : [
          `J1: ${member.name} is managed by ${owner.join(' and ') || 'nobody'} and lives at ${home}: ${member.deployStatus}, ${copy?.deployStatus}`,
        ]
  })
}

/** J2: copies that are said to be equal are. */
function copies({ a, b }: Look): string[] {
  const states = [a, b].map(({ associations }) => associations.map(({ syncStatus }) => syncStatus).join())
  const differing = a.members.filter(member => {
    const copy = b.members.find(({ region }) => region === member.region)
    return !copy || !isDeepStrictEqual(copy.payload, member.payload) || copy.description !== member.description
  })
  const names = differing.map(({ name }) => name).join(', ')
  const lies = states.includes('in-sync') && differing.length > 0
  return [
    ...(lies ? [`J2: the copies of ${names} differ, and the associations say ${states.join(' and ')}`] : []),
    ...(states.join() === 'in-sync,in-sync'
      ? []
      : [`J3: the associations end ${states.join(' and ')}: ${messages(a)} ${messages(b)}`]),
  ]
}

const messages = ({ associations }: SiteLook) => associations.map(({ message }) => message ?? 'no message').join()

/** J4: no group says that it moves when nothing moves, and no alarm outlives its cause. */
function endings({ a, b }: Look): string[] {
  const site = (id: string, { group, alarms, members }: SiteLook) => [
    ...(group?.status === undefined ? [] : [`J4: the group on ${id} still says ${group.status}`]),
    ...alarms.filter(alarm => !alarm.startsWith('280.005')).map(alarm => `J4: ${alarm} is still raised on ${id}`),
    ...members
      .filter(({ deployStatus }) => ['pre-rehome', 'rehoming', 'rehome-pending'].includes(deployStatus))
      .map(({ name, deployStatus }) => `J4: ${name} is ${deployStatus} on ${id} for ever`),
  ]
  const leaders = [a.group?.leader, b.group?.leader]
  return [
    ...site('a', a),
    ...site('b', b),
    ...(leaders[0] === leaders[1] ? [] : [`J4: the leaders are ${leaders.join(' and ')}`]),
  ]
}

/** J5: whatever was accepted can be followed to its end, and its password is forgotten then. */
function operations({ accepted, a: siteA }: SitesWorld, { a, b }: Look): string[] {
  const missing = accepted.flatMap(({ site, id }) => {
    const batch = (site === siteA ? a : b).batches.find(({ operationId }) => operationId === id)
    return batch?.outcome === undefined || batch.open > 0 ? [`J5: operation ${id} has no end`] : []
  })
  const known = [...a.batches, ...b.batches].filter(({ hasPassword }) => hasPassword)
  return [...missing, ...known.map(({ operationId }) => `J5: the password of ${operationId} is still there`)]
}

/** J6: nothing of a run is left where it ran. */
function leftRuns({ subclouds }: SitesWorld): string[] {
  return subclouds.started.flatMap(({ runId }) => {
    const state = subclouds.run(runId)
    return state ? [`J6: run ${runId} is left as ${state.kind}`] : []
  })
}
