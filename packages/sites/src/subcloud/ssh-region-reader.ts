/** Reads the region of an installed subcloud over SSH, with the password that the operator gave. */
import { spawn } from 'node:child_process'
import type { Clock } from '@godwit/ports'
import type { RegionReader } from './region-reader.ts'

export interface SshRegionReaderOptions {
  readonly clock: Clock
  /** `sshpass`, or what behaves like it. */
  readonly program?: string
  readonly timeoutMs?: number
}

const CONNECT_TIMEOUT_S = 5
const MAX_OUTPUT_LENGTH = 4096
/** It sets the name of the region for every shell of an administrator. */
const COMMAND = 'grep ^export\\ OS_REGION_NAME= /etc/platform/openrc'
const REGION = /^export OS_REGION_NAME=["']?([A-Za-z0-9][A-Za-z0-9_-]{0,254})["']?\s*$/m

export class SshRegionReader implements RegionReader {
  readonly #clock: Clock
  readonly #program: string
  readonly #timeoutMs: number

  constructor({ clock, program = 'sshpass', timeoutMs = 20_000 }: SshRegionReaderOptions) {
    this.#clock = clock
    this.#program = program
    this.#timeoutMs = timeoutMs
  }

  async regionOf({ bootstrapAddress, sysadminPassword }: Parameters<RegionReader['regionOf']>[0]): Promise<string> {
    const output = await this.#run(bootstrapAddress, sysadminPassword)
    const [, region] = REGION.exec(output) ?? []
    if (region === undefined) throw new Error('the subcloud does not say its region')
    return region
  }

  /** The password goes by the environment: arguments are for everybody to see. */
  #run(address: string, password: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const child = spawn(this.#program, ['-e', 'ssh', ...OPTIONS, `sysadmin@${address}`, COMMAND], {
      env: { PATH: process.env['PATH'], SSHPASS: password },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const stopTimer = this.#clock.after(this.#timeoutMs, () => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', chunk => {
      if (output.length < MAX_OUTPUT_LENGTH) output += String(chunk)
    })
    child.on('error', error => reject(new Error(`${this.#program} cannot be run`, { cause: error })))
    child.on('close', (code, signal) =>
      code === 0 ? resolve(output) : reject(new Error(`ssh to ${address} ended with ${signal ?? code}`)),
    )
    return promise.finally(stopTimer)
  }
}

/** A subcloud may have been installed anew: its key is neither asked for nor remembered. */
const OPTIONS = [
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
  '-o',
  `ConnectTimeout=${CONNECT_TIMEOUT_S}`,
]
