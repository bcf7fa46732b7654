/** Where snapshots are kept: the host of a registry and a path below it, as a user writes it. */

export interface RegistryBase {
  /** `https://host[:port]`, or `http://…` for this machine. */
  readonly origin: string
  /** `host[:port]`, under which credentials are kept. */
  readonly host: string
  /** What stands in front of the name of each repository; without slashes at its ends, may be empty. */
  readonly prefix: string
}

const SEGMENT = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/

/**
 * @param text `registry.example.com/team/vms`, with or without `https://`; `http://` is for this machine only
 * @throws an Error that says what is wrong with it
 */
export function parseRegistryBase(text: string): RegistryBase {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*)$/.exec(text.trim()) ?? []
  const [host = '', ...path] = rest.replace(/\/+$/, '').split('/')
  if (!/^[\w.-]+(?::\d+)?$|^\[[\da-f:]+\](?::\d+)?$/i.test(host))
    throw new Error(`registry ${JSON.stringify(text)}: ${JSON.stringify(host)} is not a host`)
  const wrong = path.find(segment => !SEGMENT.test(segment))
  if (wrong !== undefined)
    throw new Error(`registry ${JSON.stringify(text)}: ${JSON.stringify(wrong)} cannot be part of a repository's name`)
  const isLocal = isThisMachine(host)
  if (scheme === 'http' && !isLocal)
    throw new Error(`registry ${JSON.stringify(text)}: plain http is for registries on this machine; use https`)
  const origin = `${scheme ?? (isLocal ? 'http' : 'https')}://${host}`
  return { origin, host, prefix: path.join('/') }
}

/** @param host with or without a port */
export function isThisMachine(host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
