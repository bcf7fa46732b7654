import { join } from 'node:path'

export interface RehomeCommand {
  /** The real program, or one that behaves like it. */
  readonly program: string
  readonly playbooksDir: string
  readonly name: string
  readonly softwareVersion: string
  readonly region: string
  /** Seconds that one connection may take. */
  readonly connectTimeoutS: number
}

/** Names that a subcloud, a region or a release may have: nothing that a shell, Jinja or a path could read otherwise. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Arguments of `ansible-playbook`, with files in `folder`. Throws a RangeError for names that are none. */
export function argumentsOf(command: RehomeCommand, folder: string): string[] {
  const { name, softwareVersion, region } = command
  for (const [what, value] of Object.entries({ name, softwareVersion, region }))
    if (!PLAIN.test(value))
      throw new RangeError(`${what} ${JSON.stringify(value)} has characters that a name may not have`)
  return [
    join(command.playbooksDir, 'rehome_subcloud.yml'),
    '-i',
    join(folder, INVENTORY),
    '--limit',
    name,
    '--timeout',
    String(command.connectTimeoutS),
    '-e',
    `install_release_version=${softwareVersion}`,
    '-e',
    JSON.stringify({ override_files_dir: folder, region_name: region }),
  ]
}

export const INVENTORY = 'inventory.yml'
export const overridesFile = (name: string) => `${name}.yml`
