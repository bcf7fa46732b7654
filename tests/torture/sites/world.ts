/** Two real sites, the network between them and the subclouds that they share: one virtual clock, one seed, no sockets. */
import { isDeepStrictEqual } from 'node:util'
import { seededRandom, VirtualClock } from '@godwit/ports'
import { SimulatedSubclouds, settle, subcloudApi } from '@godwit/simulation'
import type { HttpAnswer } from '@godwit/sites'
import { type Look, lookAt, type SiteLook } from './look.ts'
import { Network } from './network.ts'
import { addSimulated, type Image, playSetUp, restoreImage, type SetUp, takeImage } from './set-up.ts'
import { SiteParty, type SiteSettings } from './site-party.ts'
import { StepWatch } from './step-watch.ts'

export type SiteId = 'a' | 'b'

const UUIDS = { a: '5a3f9c1e-0000-4000-8000-00000000000a', b: '5a3f9c1e-0000-4000-8000-00000000000b' } as const

export interface WorldOptions {
  readonly seed: number
  readonly startMs?: number
  readonly onLog?: (line: string) => void
}

export interface ApiAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly text: string
}

export class SitesWorld {
  readonly clock: VirtualClock
  readonly subclouds: SimulatedSubclouds
  readonly network: Network
  readonly a: SiteParty
  readonly b: SiteParty
  readonly watch = new StepWatch()
  /** Operations whose id an operator was given. */
  readonly accepted: { readonly site: SiteParty; readonly id: string }[] = []
  readonly #onLog: ((line: string) => void) | undefined
  /** As they were last seen: most moments change nothing. */
  readonly #looks = new Map<SiteId, { readonly revision: number; readonly look: SiteLook }>()
  #traffic = 0

  constructor({ seed, startMs, onLog }: WorldOptions) {
    this.clock = new VirtualClock(startMs)
    this.subclouds = new SimulatedSubclouds(this.clock)
    const sites = new Map<string, SiteParty>()
    this.network = new Network({
      clock: this.clock,
      random: seededRandom(seed * 8 + 1),
      deliver: async (host, request) => {
        const site = sites.get(host)
        if (!site) throw new Error(`there is no host ${host}`)
        return await site.receive(request)
      },
    })
    const toSubclouds = subcloudApi(this.subclouds, this.clock)
    this.#onLog = onLog
    const party = (id: SiteId, subnet: number) =>
      new SiteParty({
        settings: settingsOf(id, subnet),
        clock: this.clock,
        random: seededRandom(seed * 8 + 1 + subnet),
        toPeer: this.network.exchange,
        toSubclouds,
        isPeerAlive: () => this.site(id === 'a' ? 'b' : 'a').isUp,
        onTraffic: () => {
          this.#traffic += 1
        },
        ...(onLog && { onLog }),
      })
    this.a = party('a', 1)
    this.b = party('b', 2)
    for (const site of [this.a, this.b]) sites.set(site.settings.host, site)
  }

  /** Both sites run, and the group is in sync. */
  static async begin(image: Image, options: WorldOptions): Promise<SitesWorld> {
    const world = new SitesWorld({ ...options, startMs: image.nowMs })
    await restoreImage(world, image)
    const { identity, credentials } = world.a.settings
    addSimulated(world.subclouds, identity.uuid, credentials, image.setUp.members)
    world.watch.width = image.setUp.width
    world.a.start()
    world.b.start()
    await world.pass(1_000)
    for (const site of [world.a, world.b]) site.writes = 0
    return world
  }

  get sites(): readonly [SiteParty, SiteParty] {
    return [this.a, this.b]
  }

  site(id: SiteId): SiteParty {
    return id === 'a' ? this.a : this.b
  }

  log(line: string): void {
    this.#onLog?.(`${this.clock.now() % 100_000_000} ---- ${line}`)
  }

  /** Lets time go by; what must hold always is looked at after each moment in which something was due. */
  async pass(byMs: number): Promise<void> {
    const endMs = this.clock.now() + byMs
    const world = {
      clock: this.clock,
      traffic: () => this.#traffic,
      isIdle: () => true,
      serversIdle: async () => undefined,
    }
    let seen = -1
    for (;;) {
      await settle(world)
      const revision = this.a.revision + this.b.revision
      if (seen !== revision) this.watch.see(await this.look())
      seen = revision
      const nextMs = this.clock.untilNext()
      if (nextMs === undefined || this.clock.now() + nextMs > endMs) break
      this.clock.advance(nextMs)
    }
    this.clock.advance(endMs - this.clock.now())
  }

  /** @throws Error when it did not come about in `limitMs` */
  async until(what: string, holds: () => Promise<boolean>, limitMs = 60 * 60_000): Promise<void> {
    const endMs = this.clock.now() + limitMs
    while (!(await holds())) {
      if (this.clock.now() >= endMs) throw new Error(`not in time: ${what}\n${JSON.stringify(await this.look())}`)
      await this.pass(5_000)
    }
  }

  /** Lets time go by until nothing changes for `stillMs`. */
  async untilStill(stillMs = 3 * 60_000, limitMs = 3 * 60 * 60_000): Promise<void> {
    const endMs = this.clock.now() + limitMs
    let before = await this.look()
    let sinceMs = this.clock.now()
    while (this.clock.now() - sinceMs < stillMs && this.clock.now() < endMs) {
      await this.pass(30_000)
      const now = await this.look()
      if (isDeepStrictEqual(now, before)) continue
      before = now
      sinceMs = this.clock.now()
    }
  }

  /** A call of an operator. @throws Error when the site does not answer */
  async call(site: SiteParty, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const answering = site.receive({
      method,
      url: `http://${site.settings.host}/v1.0${path}`,
      headers: { 'x-auth-token': site.token(), accept: 'application/json', 'content-type': 'application/json' },
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    })
    let answer: HttpAnswer | Error | undefined
    answering.then(
      given => {
        answer = given
      },
      error => {
        answer = error as Error
      },
    )
    // It may wait for the other site: time goes on meanwhile.
    while (answer === undefined) await this.pass(200)
    if (answer instanceof Error) throw answer
    const text = Buffer.from(answer.body).toString()
    return { status: answer.status, body: JSON.parse(text) as ApiAnswer['body'], text }
  }

  async must(site: SiteParty, method: string, path: string, body?: unknown): Promise<ApiAnswer['body']> {
    const answer = await this.call(site, method, path, body)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.body
  }

  async look(): Promise<Look> {
    const [a, b] = [await this.lookAt('a'), await this.lookAt('b')] as const
    return { a, b, homes: this.subclouds.regions.map(region => this.#siteOf(this.subclouds.home(region).site)) }
  }

  async lookAt(id: SiteId): Promise<SiteLook> {
    const site = this.site(id)
    const known = this.#looks.get(id)
    const { revision } = site
    if (known?.revision === revision) return known.look
    const look = await lookAt(site)
    this.#looks.set(id, { revision, look })
    return look
  }

  /** Of both associations. */
  async syncStates(): Promise<readonly (string | undefined)[]> {
    const { a, b } = await this.look()
    return [a, b].map(({ associations }) => associations[0]?.syncStatus)
  }

  /** Kills everybody, and forgets everything. */
  async stop(): Promise<void> {
    for (const site of this.sites) site.stop()
    for (const { database } of this.sites) await database.close()
  }

  #siteOf(uuid: string): SiteId {
    return uuid === UUIDS.a ? 'a' : 'b'
  }
}

const settingsOf = (id: SiteId, subnet: number): SiteSettings => ({
  identity: { uuid: UUIDS[id], name: `site-${id}` },
  host: `site-${id}`,
  subnet,
  credentials: `credentials-of-${id}`,
  peerUuid: UUIDS[id === 'a' ? 'b' : 'a'],
})

/** What each run begins with: it takes longer than most of them. */
export async function imageOf(setUp: SetUp): Promise<Image> {
  const world = new SitesWorld({ seed: 1 })
  try {
    await playSetUp(world, setUp)
    return await takeImage(world, setUp)
  } finally {
    await world.stop()
  }
}

/** Images of set-ups that come again. */
export class Images {
  readonly #known = new Map<string, Promise<Image>>()

  of(setUp: SetUp): Promise<Image> {
    const key = JSON.stringify(setUp)
    const image = this.#known.get(key) ?? imageOf(setUp)
    this.#known.set(key, image)
    return image
  }
}
