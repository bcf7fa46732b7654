/** How a site reaches subclouds, by its configuration: moves them, asks whether they are online, asks which they are. */
import type { Clock } from '@godwit/ports'
import { PlaybookRunner } from '../ansible/playbook-runner.ts'
import { KeystoneProbe } from '../availability/keystone-probe.ts'
import type { SubcloudProbe } from '../availability/probe.ts'
import { SimulatedProbe } from '../availability/simulated-probe.ts'
import type { AnsibleConfig, SimulatedConfig, SiteConfig } from '../config/load.ts'
import { AnsibleExecutor } from '../executor/ansible-executor.ts'
import type { Executor } from '../executor/executor.ts'
import { SimulatedExecutor } from '../executor/simulated-executor.ts'
import { networkExchange } from '../http/socket-exchange.ts'
import type { RegionReader } from '../subcloud/region-reader.ts'
import { SshRegionReader } from '../subcloud/ssh-region-reader.ts'
import { controllerValues } from './controller-values.ts'
import { SimulatedRegionReader } from './simulated-region-reader.ts'
import { tlsExchange } from './tls-exchange.ts'

export interface SubcloudAccess {
  readonly executor: Executor
  readonly probe: SubcloudProbe
  readonly regionReader: RegionReader
  close(): void
}

interface AccessPorts {
  readonly clock: Clock
  /** Of this machine. */
  readonly host: string
}

export function subcloudAccess(config: SiteConfig, ports: AccessPorts): SubcloudAccess {
  const { executor } = config.subclouds
  return executor.kind === 'ansible' ? ansibleAccess(config, executor, ports) : simulatedAccess(config, executor, ports)
}

function ansibleAccess({ network }: SiteConfig, config: AnsibleConfig, { clock, host }: AccessPorts): SubcloudAccess {
  const { exchange, close } = tlsExchange(config.subcloudCa)
  const runner = new PlaybookRunner({ base: config.runsFolder, clock, totalLimitMs: config.totalLimitMs })
  return {
    executor: new AnsibleExecutor({
      runner,
      network,
      host,
      credentials: controllerValues(config.controllerValuesFile),
      program: config.program,
      playbooksDir: config.playbooksFolder,
      totalLimitMs: config.totalLimitMs,
      connectTimeoutS: config.connectTimeoutS,
    }),
    probe: new KeystoneProbe({ exchange, username: config.subcloudUser, password: config.subcloudPassword }),
    regionReader: new SshRegionReader({ clock }),
    close,
  }
}

function simulatedAccess({ site }: SiteConfig, config: SimulatedConfig, { clock }: AccessPorts): SubcloudAccess {
  const { url, credentials } = config
  const { uuid, softwareVersion } = site
  return {
    executor: new SimulatedExecutor({
      exchange: networkExchange,
      url,
      clock,
      site: { uuid, credentials, softwareVersion },
    }),
    probe: new SimulatedProbe({ exchange: networkExchange, url, site: { uuid, credentials } }),
    regionReader: new SimulatedRegionReader(url),
    close: () => undefined,
  }
}
