import { existsSync, globSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface Kubectl {
  readonly path: string
  /** Minor version, from the name of the file or its folder. */
  readonly minor: number
}

/** The binaries to test with: those of GODWIT_KUBECTL (colon separated), else the oldest and the newest found. */
export function findKubectls(environment: NodeJS.ProcessEnv): Kubectl[] {
  const named = environment['GODWIT_KUBECTL']
  if (named) return named.split(':').filter(existsSync).map(describeBinary)
  const found = [
    ...globSync('/usr/lib/google-cloud-sdk/bin/kubectl.1.*'),
    ...globSync('.cache/kubectl/*/kubectl', { cwd: root }).map(path => `${root}${path}`),
  ]
  const sorted = found.map(describeBinary).sort((a, b) => a.minor - b.minor)
  const [oldest, newest] = [sorted[0], sorted.at(-1)]
  if (!oldest || !newest) return []
  return oldest === newest ? [oldest] : [oldest, newest]
}

function describeBinary(path: string): Kubectl {
  const version = `${basename(dirname(path))} ${basename(path)}`.match(/1\.(\d+)/g)?.at(-1)
  return { path, minor: Number(version?.split('.')[1] ?? Number.NaN) }
}
