/** One replica of a site, assembled from its configuration: database, API, workers. Several share one Postgres. */
import type { Clock, Logger, Random } from '@godwit/ports'
import {
  type Database,
  migrateSchema,
  openPostgres,
  openSqlite,
  type Row,
  type Worker,
  wakingDatabase,
} from '@godwit/store'
import { associationWorker } from './association/worker.ts'
import { EmbeddedKeystone } from './auth/embedded-keystone.ts'
import { ownIdentities } from './auth/identities.ts'
import { KeystoneIdentities } from './auth/keystone-identities.ts'
import { Tokens } from './auth/tokens.ts'
import { availabilityWorker, wakeAllSubclouds } from './availability/worker.ts'
import type { SiteConfig } from './config/load.ts'
import { urlPath } from './failover/second-path.ts'
import { failoverWorker } from './failover/worker.ts'
import type { ApiPorts } from './http/api-ports.ts'
import { startSitesServer } from './http/server.ts'
import { siteApi } from './http/site-api.ts'
import { networkExchange } from './http/socket-exchange.ts'
import { siteMetrics } from './metrics/site-metrics.ts'
import { peerMonitor } from './peer/monitor.ts'
import { peerSites } from './peer/peer-client.ts'
import { rehomeWorkers } from './rehome/workers.ts'
import { sealedWith } from './secrets/sealed-columns.ts'
import { subcloudAccess } from './service/subcloud-access.ts'
import type { Site } from './site.ts'
import { sitesSchema } from './state/schema.ts'

export interface ServicePorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Of this machine: runs of playbooks live on it. */
  readonly host: string
  /** Unique for each life of the process. */
  readonly holder: string
}

export interface Service {
  /** Of the API. */
  readonly url: string
  /** Prometheus text. */
  metrics(): Promise<string>
  /** What is wrong; undefined: it can do its work. */
  notReady(): Promise<string | undefined>
  /** Answers what was asked, gives back what it works on, and lets playbooks go on. */
  stop(): Promise<void>
}

/** Most calls take milliseconds; one that waits for a worker longer than this is asked again elsewhere. */
const DRAIN_MS = 10_000

/** @throws Terminal when the database is of another version, or was sealed with another key */
export async function startService(config: SiteConfig, ports: ServicePorts): Promise<Service> {
  const inner = openDatabase(config, ports)
  try {
    await migrateSchema(inner, sitesSchema)
    const database = wakingDatabase(await sealedWith(inner, config.seal))
    return await assembled(config, ports, database)
  } catch (error) {
    await inner.close()
    throw error
  }
}

function openDatabase({ database }: SiteConfig, { clock, random, logger }: ServicePorts): Database {
  if (database.kind === 'sqlite') return openSqlite({ path: database.path, clock })
  return openPostgres({
    url: database.url,
    clock,
    random,
    ...(database.connections !== undefined && { connections: database.connections }),
    onConnectionLost: error => logger.warn({ error: error.message }, 'a connection to the database was lost'),
  })
}

async function assembled(config: SiteConfig, ports: ServicePorts, database: Site['database']): Promise<Service> {
  const { clock, random, logger, holder } = ports
  const { uuid, name, softwareVersion } = config.site
  const site: Site = {
    identity: { uuid, name },
    network: config.network,
    softwareVersion,
    database,
    clock,
    random,
    logger,
  }
  const access = subcloudAccess(config, ports)
  const peerSite = peerSites({ clock })
  const shared = {
    site,
    peerSite,
    holder,
    leaseMs: config.work.leaseSeconds * 1000,
    pollMs: config.work.pollSeconds * 1000,
  }
  const moving = { ...shared, executor: access.executor, probe: access.probe }
  const workers: readonly Worker[] = [
    peerMonitor(shared),
    associationWorker(shared),
    failoverWorker({ ...shared, ...failoverOf(config.failover, clock) }),
    ...rehomeWorkers(moving),
    availabilityWorker({ ...moving, auditMs: config.subclouds.auditMs }),
  ]
  await database.transaction(wakeAllSubclouds)
  // Last: a port that is taken leaves nothing running.
  const server = await startSitesServer({
    exchange: apiOf(config, { site, peerSite, regionReader: access.regionReader }),
    logger,
    host: config.api.host,
    port: config.api.port,
    drain: { clock, graceMs: DRAIN_MS },
  })
  for (const worker of workers) worker.start()
  const end = async () => {
    await server.stop()
    await Promise.all(workers.map(worker => worker.stop()))
    access.close()
    await database.close()
  }
  let ended: Promise<void> | undefined
  return {
    url: server.url,
    metrics: () => database.transaction(siteMetrics),
    notReady: async () => {
      if (ended) return 'stopping'
      await database.transaction(sql => sql.all('select 1 as one'))
      return undefined
    },
    stop: () => {
      ended ??= end()
      return ended
    },
  }
}

function failoverOf({ secondPaths, sysadminPassword, ...limits }: SiteConfig['failover'], clock: Clock) {
  return {
    ...limits,
    secondPaths: (peer: Row) =>
      (secondPaths[String(peer['peer_uuid'])] ?? []).map(url => urlPath({ url, exchange: networkExchange, clock })),
    ...(sysadminPassword !== undefined && { sysadminPassword }),
  }
}

function apiOf({ auth, api }: SiteConfig, ports: ApiPorts) {
  const { trustsUserAgent, publicUrl } = api
  return siteApi({
    ...ports,
    ...identitiesOf(auth, ports.site),
    trustsUserAgent,
    ...(publicUrl !== undefined && { publicUrl }),
  })
}

function identitiesOf(auth: SiteConfig['auth'], { clock }: Site) {
  if (auth.kind === 'keystone') {
    const { url, username, password, project, peers } = auth
    const login = { username, password, project }
    return { identities: new KeystoneIdentities({ exchange: networkExchange, clock, url, login, peers }) }
  }
  const tokens = new Tokens({ key: auth.tokenKey, clock })
  return { identities: ownIdentities(tokens), keystone: new EmbeddedKeystone(auth.users, tokens) }
}
