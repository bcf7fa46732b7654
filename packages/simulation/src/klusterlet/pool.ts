/**
 * Runs all klusterlets of a process: feeds observations to `step`, carries out its actions. They share the watches of
 * their hubs, one timer and one key pair; each acts under its own identity.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { labels } from '../foreign/names.ts'
import type { CertificateSigningRequest } from '../foreign/types.ts'
import type { Ports } from '../hub/context.ts'
import type { HubView } from '../hub/hub-view.ts'
import { KeyedQueue } from '../queue/keyed-queue.ts'
import { TaskLimiter } from '../queue/task-limiter.ts'
import { TimerWheel } from '../queue/timer-wheel.ts'
import { Agent } from './agent.ts'
import { readLease, renewLease, reportHealthy, viewOf } from './agent-calls.ts'
import { createCsr, fetchCertificate, introduce, isValidBootstrap } from './bootstrap-calls.ts'
import { certificateRequest, readCertificate } from './certificate-request.ts'
import type { Action, KlusterletState, Observation } from './state.ts'
import { nextWake, step } from './step.ts'
import { syncWorks } from './work-agent.ts'

/** Calls of all klusterlets that are under way at the same time. */
const MAX_CALLS = 64
/** An agent with this many open requests makes no more. */
const MAX_OPEN_CSRS = 10

export class KlusterletPool {
  readonly #ports: Ports
  readonly #hubs = new Map<string, HubView>()
  readonly #agents = new Map<string, Agent>()
  readonly #wheel: TimerWheel
  readonly #calls = new TaskLimiter(MAX_CALLS)
  readonly #works: KeyedQueue
  readonly #unsubscribe: (() => void)[] = []
  readonly #seed: number
  #key: KeyObject | undefined
  #isStopped = false

  constructor(hubs: readonly HubView[], ports: Ports) {
    this.#ports = ports
    this.#seed = Math.floor(ports.random.next() * 2 ** 32)
    this.#wheel = new TimerWheel(ports.clock, name => this.#tick(name))
    this.#works = new KeyedQueue({ name: 'work-agent', ...ports, workers: 32, work: name => this.#syncWorks(name) })
    for (const hub of hubs) {
      this.#hubs.set(hub.access.server, hub)
      this.#watch(hub)
    }
  }

  /** Adds a klusterlet; its agent starts at once, or when it is due. */
  add(state: KlusterletState): void {
    const agent = new Agent(state, this.#hubs, seedOf(state.cluster) ^ this.#seed)
    this.#agents.set(state.cluster, agent)
    this.#wheel.set(agent.name, nextWake(state))
  }

  /** How many calls and works wait or are under way. */
  get load(): number {
    return this.#calls.load + this.#works.load
  }

  /** Begins to apply works. */
  start(): void {
    this.#works.start()
  }

  get(name: string): Agent | undefined {
    return this.#agents.get(name)
  }

  list(): Iterable<Agent> {
    return this.#agents.values()
  }

  /** Hands an observation to a klusterlet and carries out what follows from it. */
  observe(agent: Agent, observation: Observation): void {
    if (this.#isStopped) return
    const nowMs = this.#ports.clock.now()
    const { state, actions } = step(agent.state, observation, nowMs)
    if (state === agent.state && actions.length === 0) return
    agent.state = state
    agent.remember(nowMs)
    this.#wheel.set(agent.name, nextWake(state))
    for (const action of actions) this.#perform(agent, action)
  }

  /** Changes what a klusterlet is like from now on. */
  adjust(agent: Agent, knobs: Partial<KlusterletState['knobs']>): void {
    agent.state = { ...agent.state, knobs: { ...agent.state.knobs, ...knobs } }
    this.#syncHub(agent)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const each of this.#unsubscribe) each()
    this.#wheel.stop()
    await Promise.all([this.#works.stop(), this.#calls.stop()])
  }

  #watch(hub: HubView): void {
    const { server } = hub.access
    this.#unsubscribe.push(
      hub.managedClusters.onChange(({ type, object }) => {
        const agent = this.#agents.get(object.metadata.name)
        if (agent?.connectedHub !== hub) return
        this.observe(agent, { type: 'cluster', server, cluster: type === 'deleted' ? undefined : viewOf(object) })
      }),
      hub.manifestWorks.onChange(({ type, object }) => {
        const agent = this.#agents.get(object.metadata.namespace ?? '')
        if (agent?.connectedHub !== hub) return
        if (type === 'deleted') this.#missWork(agent, server, object.metadata.name)
        else this.#works.addAfter(agent.name, agent.state.knobs.workApplyDelayMs)
      }),
      hub.csrs.onChange(({ type, object }) => {
        const agent = this.#agents.get(object.metadata.labels?.[labels.clusterName] ?? '')
        if (agent) this.#seeCsr(agent, hub, object, type === 'deleted')
      }),
    )
  }

  #tick(name: string): void {
    const agent = this.#agents.get(name)
    if (agent) this.observe(agent, { type: 'tick' })
  }

  #missWork(agent: Agent, server: string, work: string): void {
    this.observe(agent, { type: 'workGone', server, work, how: 'missing' })
  }

  async #syncWorks(name: string): Promise<number | undefined> {
    const agent = this.#agents.get(name)
    return agent && syncWorks(agent, this.#ports, (to, observation) => this.observe(to, observation))
  }

  /** Looks at everything that concerns the agent on the hub it is connected to. */
  #syncHub(agent: Agent): void {
    const hub = agent.connectedHub
    if (!hub) return
    const { server } = hub.access
    const present = new Set(hub.manifestWorks.list(agent.name).map(work => work.metadata.name))
    for (const { server: owner, work } of agent.state.works)
      if (owner === server && !present.has(work)) this.#missWork(agent, server, work)
    if (present.size > 0) this.#works.addAfter(agent.name, agent.state.knobs.workApplyDelayMs)
    const cluster = hub.managedClusters.get({ name: agent.name })
    this.observe(agent, { type: 'cluster', server, cluster: cluster && viewOf(cluster) })
  }

  #perform(agent: Agent, action: Action): void {
    if (action.type === 'syncHub') {
      this.#syncHub(agent)
      return
    }
    this.#calls.run(async () => {
      // The process that wanted it may have ended while the call waited for its turn.
      if (agent.state.process.run !== action.run) return
      if (agent.draws(agent.state.knobs.failures.kill)) {
        this.observe(agent, { type: 'podRestarted' })
        return
      }
      const answer = await this.#call(agent, action)
      if (answer) this.observe(agent, answer)
      if (answer?.type === 'requested') this.#lookForCertificate(agent, answer.csr)
    })
  }

  /** Carries out one action; failures become observations too. */
  async #call(agent: Agent, action: Exclude<Action, { type: 'syncHub' }>): Promise<Observation | undefined> {
    const { run } = action
    try {
      switch (action.type) {
        case 'select':
          return { type: 'selected', run, secret: await this.#select(agent, action.candidates) }
        case 'request':
          return { type: 'requested', run, csr: await this.#request(agent, action.secret) }
        case 'report':
          await this.#report(agent)
          return undefined
        case 'renewLease':
          await renewLease(agent.identityClient(), agent.name, this.#ports.clock.now() + agent.state.knobs.clockSkewMs)
          return undefined
        case 'readLease':
          return { type: 'lease', run, renewedAtMs: await readLease(agent.identityClient(), agent.name) }
        case 'rotate':
          agent.rotation = await createCsr(agent.identityClient(), agent.name, this.#certificateRequest(agent))
          return undefined
      }
    } catch (error) {
      this.#ports.logger.debug(
        { cluster: agent.name, action: action.type, error: String(error) },
        'klusterlet call failed',
      )
      if (action.type === 'readLease') return { type: 'lease', run, renewedAtMs: undefined }
      return action.type === 'request' || action.type === 'report' ? { type: 'failed', run } : undefined
    }
  }

  /** The first bootstrap that is valid; one whose hub does not answer is not. */
  async #select(agent: Agent, candidates: readonly string[]): Promise<string | undefined> {
    for (const secret of candidates) {
      try {
        const isValid = await isValidBootstrap(agent.bootstrapClient(secret), agent.name)
        if (isValid && !agent.draws(agent.state.knobs.failures.probe)) return secret
      } catch (error) {
        this.#ports.logger.debug({ cluster: agent.name, secret, error: String(error) }, 'bootstrap is not valid')
      }
    }
    return undefined
  }

  async #request(agent: Agent, secret: string): Promise<string> {
    const client = agent.bootstrapClient(secret)
    if (agent.draws(agent.state.knobs.failures.request)) throw new Error('request lost')
    await introduce(client, agent.name)
    const open = agent.hub?.csrsOf(agent.name) ?? []
    if (open.filter(csr => !csr.status?.certificate).length >= MAX_OPEN_CSRS) throw new Error('too many open requests')
    return createCsr(client, agent.name, this.#certificateRequest(agent))
  }

  #certificateRequest(agent: Agent): string {
    this.#key ??= generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    return Buffer.from(certificateRequest(agent.subject, this.#key)).toString()
  }

  async #report(agent: Agent): Promise<void> {
    const cluster = agent.connectedHub?.managedClusters.get({ name: agent.name })
    if (cluster) await reportHealthy(agent.identityClient(), cluster, this.#ports.clock.now())
  }

  /** The certificate may have been there before the answer to the request was. */
  #lookForCertificate(agent: Agent, name: string): void {
    const csr = agent.hub?.csrs.get({ name })
    if (agent.hub && csr) this.#seeCsr(agent, agent.hub, csr, false)
  }

  #seeCsr(agent: Agent, hub: HubView, csr: CertificateSigningRequest, isDeleted: boolean): void {
    const { process } = agent.state
    const { name } = csr.metadata
    const isAwaited = process.at === 'bootstrapping' && process.csr === name && agent.hub === hub
    const isRotation = process.at === 'connected' && agent.rotation === name && agent.connectedHub === hub
    if (!isAwaited && !isRotation) return
    const { run } = process
    const isRefused = csr.status?.conditions?.some(({ type }) => type === 'Denied' || type === 'Failed') === true
    if (isDeleted || isRefused) this.observe(agent, { type: 'failed', run })
    else if (csr.status?.certificate)
      this.#calls.run(async () => {
        if (agent.state.process.run === run) this.observe(agent, await this.#take(agent, hub, name))
      })
  }

  /** Fetches the certificate as the agent would: a token revoked meanwhile gets nothing. */
  async #take(agent: Agent, hub: HubView, csr: string): Promise<Observation> {
    const { process } = agent.state
    const { run } = process
    try {
      const isBootstrap = process.at === 'bootstrapping'
      const secret = isBootstrap ? agent.state.secrets[process.secret] : undefined
      const client = isBootstrap ? agent.bootstrapClient(process.secret) : agent.identityClient()
      const source = secret ?? agent.state.credential
      const pem = await fetchCertificate(client, csr)
      if (!pem || !source) return { type: 'failed', run }
      const { server, caHash, contextCluster } = source
      return { type: 'issued', run, credential: { server, caHash, contextCluster, ...readCertificate(pem) } }
    } catch (error) {
      this.#ports.logger.debug({ cluster: agent.name, hub: hub.access.name, error: String(error) }, 'no certificate')
      return { type: 'failed', run }
    }
  }
}

/** A number that depends on nothing but the text. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
