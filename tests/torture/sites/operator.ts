/** What an operator does: asks again when a site did not answer, and looks at what became of it. */
import { encoded, GROUP, nameOf } from './set-up.ts'
import { PASSWORD, type SiteParty } from './site-party.ts'
import type { ApiAnswer, SitesWorld } from './world.ts'

const AGAIN_MS = 10_000
const MAX_ATTEMPTS = 60

/** Until the site answers something that is no failure of its own. */
export async function insist(
  world: SitesWorld,
  site: SiteParty,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await world.call(site, method, path, body)
      if (answer.status < 500 || attempt >= MAX_ATTEMPTS) return answer
      world.log(`${method} ${path}: ${answer.status} ${answer.text}`)
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS) throw error
      world.log(`${method} ${path}: ${String(error)}`)
    }
    await world.pass(AGAIN_MS)
  }
}

/**
 * Moves the group to the site and waits for the end.
 * @returns the operation, or why there is none
 */
export async function migrate(world: SitesWorld, site: SiteParty): Promise<ApiAnswer> {
  const path = `/subcloud-peer-groups/${GROUP}/migrate`
  const answer = await insist(world, site, 'PATCH', path, { sysadmin_password: encoded(PASSWORD) })
  world.log(`migrate on ${site.settings.host}: ${answer.status} ${answer.text.slice(0, 200)}`)
  const id = answer.body['operation_id']
  if (typeof id === 'string') world.accepted.push({ site, id })
  // One that was accepted before the answer was lost is named by the refusal, or has ended already.
  await world.until('the batch has ended', async () =>
    (await world.lookAt(site === world.a ? 'a' : 'b')).batches.every(({ outcome }) => outcome !== undefined),
  )
  return answer
}

/** What both sites do when they lose each other. */
export async function setPolicy(world: SitesWorld, policy: 'alarm' | 'propose' | 'rehome'): Promise<void> {
  for (const site of world.sites)
    await insist(world, site, 'PATCH', '/system-peers/1', { heartbeat_failure_policy: policy })
}

/** Corrects the address under which a subcloud is reached. */
export async function correctAddress(world: SitesWorld, site: SiteParty, number: number, address: string) {
  const answer = await insist(world, site, 'PATCH', `/subclouds/${nameOf(number)}`, { bootstrap_address: address })
  world.log(`address of ${nameOf(number)} on ${site.settings.host}: ${answer.status} ${answer.text.slice(0, 200)}`)
  return answer
}

export const members = async (world: SitesWorld, id: 'a' | 'b') => (await world.lookAt(id)).members
