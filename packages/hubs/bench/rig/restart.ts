/** Each party is killed in the middle of a large migration and started again. */
import { create, named, Observer } from './migrations.ts'
import { type Party, startAgent, startController } from './parties.ts'
import { agentOf, CONTROLLER, World } from './world.ts'

export interface Restart {
  readonly who: string
  /** Clusters that were not at their end when the party was killed. */
  readonly open: number
  /** From the moment it leads until its first write for a migration, in seconds. */
  readonly seconds: number
  /** From its start as a process, the wait for its predecessor's lease included. */
  readonly sinceStartSeconds: number
}

const WRITES: readonly string[] = ['create', 'update', 'patch', 'delete']

export async function measureRestarts(clusters: number): Promise<readonly Restart[]> {
  let onWrite: (user: string) => void = () => undefined
  const world = await World.start({
    hubs: { hub1: clusters, hub2: 0 },
    onCall: ({ user, verb, resource }) => {
      if (WRITES.includes(verb) && resource !== 'leases' && resource !== 'events') onWrite(user)
    },
  })
  const starters: readonly (readonly [string, string, () => Promise<Party>])[] = [
    ['controller', CONTROLLER, () => startController(world)],
    ['agent of the source', agentOf('hub1'), () => startAgent(world, 'hub1')],
    ['agent of the target', agentOf('hub2'), () => startAgent(world, 'hub2')],
  ]
  const parties = await Promise.all(starters.map(([, , start]) => start()))
  await Promise.all(parties.map(party => party.logged('recovered, nothing is under way')))
  const observer = new Observer(world.globalHub)
  await create(world.globalHub, { name: 'move', from: 'hub1', to: 'hub2', clusters: world.names['hub1'] ?? [] })
  const isBusy = named('move', ({ status }) => (status?.clusters?.registering ?? 0) > 0)
  await observer.until('clusters in Registering', isBusy, 300_000)
  const restarts: Restart[] = []
  for (const [index, [who, user, start]] of starters.entries()) {
    await parties[index]?.kill()
    const { total = 0, completed = 0 } = observer.all[0]?.status?.clusters ?? {}
    const startedAt = Date.now()
    const party = await start()
    parties[index] = party
    const leadingAt = await party.logged('leading')
    const actedAt = await new Promise<number>(resolve => {
      onWrite = writer => {
        if (writer === user) resolve(Date.now())
      }
    })
    onWrite = () => undefined
    restarts.push({
      who,
      open: total - completed,
      seconds: (actedAt - leadingAt) / 1000,
      sinceStartSeconds: (actedAt - startedAt) / 1000,
    })
  }
  await observer.stop()
  await Promise.all(parties.map(party => party.kill()))
  await world.stop()
  return restarts
}
