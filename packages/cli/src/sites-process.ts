/** The long-lived process of a site: configured, probed, stopped gracefully. What it does is in @godwit/sites. */
import { hostname } from 'node:os'
import { jsonLogger } from '@godwit/engine'
import { systemClock, systemRandom } from '@godwit/ports'
import { loadConfig, startService } from '@godwit/sites'
import { startProbes } from './probe-server.ts'
import { untilStopped } from './until-stopped.ts'

export async function serveSite(configPath: string): Promise<void> {
  const stopped = untilStopped()
  const config = loadConfig(configPath)
  const logger = jsonLogger({ component: `site/${config.site.name}`, level: config.logLevel })
  const host = hostname()
  const holder = `${host}-${process.pid}-${systemRandom.next().toString(36).slice(2, 10)}`
  const service = await startService(config, { clock: systemClock, random: systemRandom, logger, host, holder })
  const probes = await startProbes({
    ...config.probes,
    clock: systemClock,
    notReady: () => service.notReady(),
    metrics: () => service.metrics(),
  }).catch(async error => {
    await service.stop()
    throw error
  })
  logger.info({ url: service.url, probePort: probes.port, holder, pid: process.pid }, 'started')
  if (!stopped.aborted) await new Promise<void>(done => stopped.addEventListener('abort', () => done(), { once: true }))
  logger.info({ holder }, 'stopping')
  await service.stop()
  await probes.stop()
  logger.info({ holder }, 'stopped')
}
