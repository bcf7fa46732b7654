/** Runs the real rehome playbook: what it reads is made anew for each attempt, and is gone when the run is over. */
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { Terminal } from '@godwit/core'
import { argumentsOf } from '../ansible/command.ts'
import { inventoryOf, overridesOf } from '../ansible/inventory.ts'
import type { PlaybookRunner, RehomeRun, RunOutcome } from '../ansible/playbook-runner.ts'
import type { SiteNetwork } from '../site.ts'
import type { Executor, RehomeAttempt, RunSignals } from './executor.ts'

/** What this system controller gives a subcloud: ids and passwords of its keystone, its certificate authority. */
export interface ControllerCredentials {
  /**
   * By the names that the playbook knows (`users`, `admin_password`, `dc_root_ca_cert`, …). Asked again it gives the same,
   * or something as good; to be asked leaves nothing behind.
   * @throws Terminal when there are none; anything else is tried again
   */
  overridesFor(subcloud: { readonly name: string; readonly region: string }): Promise<Readonly<Record<string, unknown>>>
}

export interface AnsibleExecutorOptions {
  readonly runner: PlaybookRunner
  readonly credentials: ControllerCredentials
  readonly network: SiteNetwork
  /** The program; looked for on the path when it has no slash. */
  readonly program: string
  readonly playbooksDir: string
  /** Of this machine: the folder of runs is on its disk. */
  readonly host: string
  readonly totalLimitMs: number
  /** Seconds that one connection may take; 180 unless told. */
  readonly connectTimeoutS?: number
}

const CONNECT_TIMEOUT_S = 180
const SECRET_NAME = /pass|secret|token|key$|^users$/i
/** Shorter ones would hide half of every text. */
const LEAST_SECRET_LENGTH = 4

export class AnsibleExecutor implements Executor {
  readonly host: string
  readonly totalLimitMs: number
  readonly #options: AnsibleExecutorOptions

  constructor(options: AnsibleExecutorOptions) {
    this.#options = options
    this.host = options.host
    this.totalLimitMs = options.totalLimitMs
  }

  async prepare(attempt: RehomeAttempt): Promise<void> {
    const { program, playbooksDir } = this.#options
    await mustBe(join(playbooksDir, 'rehome_subcloud.yml'), constants.R_OK)
    if (program.includes('/')) await mustBe(program, constants.X_OK)
    const { command } = await this.#runOf(attempt)
    try {
      argumentsOf(command, '/')
    } catch (error) {
      throw new Terminal('NameRefused', error instanceof Error ? error.message : String(error))
    }
  }

  async run(attempt: RehomeAttempt, { cancel, leave }: RunSignals): Promise<RunOutcome | undefined> {
    return await this.#options.runner.run(await this.#runOf(attempt), cancel, leave)
  }

  discard(runId: string): Promise<void> {
    return this.#options.runner.discard(runId)
  }

  async #runOf(attempt: RehomeAttempt): Promise<RehomeRun> {
    const { credentials, network, program, playbooksDir, connectTimeoutS = CONNECT_TIMEOUT_S } = this.#options
    const { runId, name, region, softwareVersion, bootstrapAddress, sysadminPassword } = attempt
    // What the controller gives wins: stored values may hold the credentials of another home.
    const payload = { ...attempt.values, name, ...(await credentials.overridesFor({ name, region })) }
    const system = {
      subnet: network.managementSubnet,
      floatingAddress: network.managementAddress,
      oamSubnet: network.oamSubnet,
      oamFloatingAddress: network.oamAddress,
    }
    return {
      runId,
      command: { program, playbooksDir, name, softwareVersion, region, connectTimeoutS },
      inventory: inventoryOf({ name, bootstrapAddress }),
      overrides: overridesOf({ payload, system, sysadminPassword }),
      secrets: [sysadminPassword, ...secretsOf(payload, false)],
    }
  }
}

async function mustBe(path: string, mode: number): Promise<void> {
  try {
    await access(path, mode)
  } catch {
    throw new Terminal('PlaybookMissing', `${path} is not there, or may not be used`)
  }
}

/** Texts under a name that says so, wherever they stand. */
function secretsOf(value: unknown, isSecret: boolean): readonly string[] {
  if (typeof value === 'string') return isSecret && value.length >= LEAST_SECRET_LENGTH ? [value] : []
  if (Array.isArray(value)) return value.flatMap(each => secretsOf(each, isSecret))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) => secretsOf(each, isSecret || SECRET_NAME.test(name)))
}
