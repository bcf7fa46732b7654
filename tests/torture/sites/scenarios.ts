/** Stories of operators that are played undisturbed once, and then again with a death at each write. */
import { correctAddress, members, migrate, setPolicy } from './operator.ts'
import { rightAddress, type SetUp } from './set-up.ts'
import type { SitesWorld } from './world.ts'

export interface Scenario {
  readonly name: string
  readonly setUp: SetUp
  readonly play: (world: SitesWorld) => Promise<void>
}

const lost = async (world: SitesWorld) => {
  world.a.stop()
  await world.until('the loss of the primary site is noticed', async () => {
    return (await world.lookAt('b')).peer === 'unavailable'
  })
}

const managedBy = (world: SitesWorld, id: 'a' | 'b') =>
  world.until(`all is managed by ${id}`, async () => (await members(world, id)).every(({ isManaged }) => isManaged))

const all: readonly Scenario[] = [
  {
    name: 'failover',
    setUp: { members: 2, wrong: [2], width: 2 },
    play: async world => {
      await lost(world)
      await migrate(world, world.b)
      await correctAddress(world, world.b, 2, rightAddress(2))
      await migrate(world, world.b)
      await managedBy(world, 'b')
      world.a.start()
      await world.untilStill()
      await migrate(world, world.a)
      await managedBy(world, 'a')
    },
  },
  {
    name: 'away-and-home',
    setUp: { members: 2, wrong: [], width: 1 },
    play: async world => {
      await migrate(world, world.b)
      await managedBy(world, 'b')
      await world.untilStill(60_000)
      await migrate(world, world.a)
      await managedBy(world, 'a')
    },
  },
  {
    name: 'returning',
    setUp: { members: 2, wrong: [], width: 1 },
    play: async world => {
      await lost(world)
      const moving = migrate(world, world.b)
      world.clock.after(8_000, () => world.a.start())
      await moving
      await managedBy(world, 'b')
    },
  },
  {
    name: 'automatic',
    setUp: { members: 2, wrong: [], width: 2 },
    play: async world => {
      await setPolicy(world, 'rehome')
      world.a.stop()
      await managedBy(world, 'b')
      world.a.start()
      // Nothing is stolen back.
      await world.untilStill(15 * 60_000)
      await managedBy(world, 'b')
    },
  },
  {
    name: 'taken-back',
    setUp: { members: 2, wrong: [1], width: 2 },
    play: async world => {
      await migrate(world, world.b)
      await world.untilStill(60_000)
      // It fails again, and leads then, so that the address can be corrected.
      await migrate(world, world.a)
      await world.untilStill(60_000)
      await correctAddress(world, world.a, 1, rightAddress(1))
      await world.untilStill(60_000)
      await migrate(world, world.a)
      await managedBy(world, 'a')
    },
  },
]

export const SCENARIOS: readonly Scenario[] = all

export function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS.find(candidate => candidate.name === name)
  if (!scenario) throw new Error(`there is no scenario ${name}; choose ${SCENARIOS.map(each => each.name).join(', ')}`)
  return scenario
}
