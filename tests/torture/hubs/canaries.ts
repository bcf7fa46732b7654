/** Secret values of all hubs, and whether one of them shows up where it must not (INV-10). */
import { type KubeObject, resources } from '@godwit/kube'
import type { HubsWorld } from './world.ts'
import type { ServerName } from './world-image.ts'

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> }

/** Too short to be told from an ordinary word. */
const MIN_LENGTH = 12
/** Members of Secrets that everybody may know. */
const PUBLIC: readonly string[] = ['ca.crt', 'publicKey', 'namespace', 'cluster-name', 'agent-name', 'crds.yaml']

export class Canaries {
  readonly #values = new Map<string, string>()
  /** States are never changed, so each is read once. */
  readonly #seen = new WeakSet<Secret>()
  readonly #versions = new Map<ServerName, number>()
  #found: string | undefined

  /** Where the first one was found. */
  get found(): string | undefined {
    return this.#found
  }

  get size(): number {
    return this.#values.size
  }

  /** Learns all secret values that a server has now. */
  collect(world: HubsWorld, server: ServerName): void {
    const { version } = world.servers[server]
    if (this.#versions.get(server) === version) return
    this.#versions.set(server, version)
    for (const secret of world.objects<Secret>(server, resources.secrets)) {
      if (this.#seen.has(secret)) continue
      this.#seen.add(secret)
      const { metadata, data = {} } = secret
      for (const [member, base64] of Object.entries(data)) {
        if (PUBLIC.includes(member)) continue
        const name = `${metadata.namespace}/${metadata.name}[${member}]`
        this.#learn(name, base64)
        for (const line of Buffer.from(base64, 'base64').toString('utf8').split('\n')) this.#learn(name, tail(line))
      }
    }
  }

  /** @param where for the report */
  inspect(where: string, text: string): void {
    if (this.#found !== undefined) return
    for (const [value, name] of this.#values)
      if (text.includes(value)) {
        this.#found = `${name} shows in ${where}: ${text.slice(0, 300)}`
        return
      }
  }

  #learn(name: string, value: string): void {
    if (value.length >= MIN_LENGTH) this.#values.set(value, name)
  }
}

/** Of `token: abc` only what is secret; of a PEM or of YAML keys nothing. */
function tail(line: string): string {
  if (/-----|ca-data|certificate-authority|server:|name:|namespace:|kind:|apiVersion:/.test(line)) return ''
  return /(?:token|password|key|data)["']?:\s*(\S+)/i.exec(line)?.[1] ?? (/^\S+$/.test(line) ? line : '')
}
