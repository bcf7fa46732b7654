import { groupVersion, type Resource } from './resource.ts'

/**
 * What is served right now. Built-ins are there from the start; custom resources come and go with their definitions.
 */
export class Registry {
  /** Made when somebody asks: a server that starts adds its definitions one by one. */
  #known: Known | undefined
  readonly #builtins: readonly Resource[]
  readonly #custom = new Map<string, readonly Resource[]>()
  readonly #listeners = new Set<() => void>()
  #revision = 1

  constructor(builtins: readonly Resource[]) {
    this.#builtins = builtins
  }

  /** Grows with each change; caches of discovery and OpenAPI compare it. */
  get revision(): number {
    return this.#revision
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#index.byPath.get(`${group}/${version}/${plural}`)
  }

  findKind(apiVersion: string, kind: string): Resource | undefined {
    return this.#index.byKind.get(`${apiVersion}/${kind}`)
  }

  hasVersion(group: string, version: string): boolean {
    return this.#index.versions.get(group)?.includes(version) ?? false
  }

  /** Groups, the core group first, then built-in ones, then custom ones by name. */
  groups(): Iterable<readonly [string, readonly string[]]> {
    return this.#index.versions
  }

  inVersion(group: string, version: string): Resource[] {
    return [...this.#index.byPath.values()].filter(one => one.group === group && one.version === version)
  }

  all(): Iterable<Resource> {
    return this.#index.byPath.values()
  }

  /** One resource for each stored collection, in its preferred version. */
  collections(): Map<string, Resource> {
    const preferred = new Map<string, Resource>()
    for (const resource of this.all()) {
      const versions = this.#index.versions.get(resource.group) ?? []
      const known = preferred.get(resource.collection)
      const isBetter =
        !known ||
        (known.group === resource.group && versions.indexOf(resource.version) < versions.indexOf(known.version))
      if (isBetter && resource.verbs.includes('list')) preferred.set(resource.collection, resource)
    }
    return preferred
  }

  /** Replaces what one definition serves; an empty list withdraws it. */
  setCustom(definition: string, resources: readonly Resource[]): void {
    if (resources.length === 0) this.#custom.delete(definition)
    else this.#custom.set(definition, resources)
    this.#known = undefined
    this.#revision++
    for (const listener of this.#listeners) listener()
  }

  /** Built-in kinds of a group. */
  builtinsOf(group: string): Resource[] {
    return this.#builtins.filter(one => one.group === group)
  }

  /** Whether a built-in kind has this place, in whatever version. */
  isBuiltin(group: string, plural: string): boolean {
    return this.#builtins.some(one => one.group === group && one.plural === plural)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get #index(): Known {
    this.#known ??= indexOf([...this.#builtins, ...[...this.#custom.values()].flat().sort(byGroup)])
    return this.#known
  }
}

interface Known {
  readonly byPath: ReadonlyMap<string, Resource>
  readonly byKind: ReadonlyMap<string, Resource>
  /** Versions of each group in order of preference. */
  readonly versions: ReadonlyMap<string, readonly string[]>
}

const byGroup = (a: Resource, b: Resource) => (a.group < b.group ? -1 : Number(a.group > b.group))

/** The first of a kind counts: built-ins come before custom resources. */
function indexOf(resources: readonly Resource[]): Known {
  const byPath = new Map<string, Resource>()
  const byKind = new Map<string, Resource>()
  const versions = new Map<string, string[]>()
  for (const resource of resources) {
    byPath.set(`${resource.group}/${resource.version}/${resource.plural}`, resource)
    const kind = `${groupVersion(resource.group, resource.version)}/${resource.kind}`
    if (!byKind.has(kind)) byKind.set(kind, resource)
    const known = versions.get(resource.group)
    if (!known) versions.set(resource.group, [resource.version])
    else if (!known.includes(resource.version)) known.push(resource.version)
  }
  for (const list of versions.values()) list.sort(comparePreference)
  return { byPath, byKind, versions }
}

const versionPattern = /^v(\d+)(?:(alpha|beta)(\d+))?$/

/** Kubernetes order of versions: stable before beta before alpha, higher first; everything else last, by name. */
export function comparePreference(a: string, b: string): number {
  const [left, right] = [rank(a), rank(b)]
  if (!left || !right) return Number(!left) - Number(!right) || (a < b ? -1 : Number(a > b))
  return right.stage - left.stage || right.major - left.major || right.minor - left.minor
}

function rank(version: string): { stage: number; major: number; minor: number } | undefined {
  const match = version.match(versionPattern)
  if (!match) return undefined
  const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
  return { stage, major: Number(match[1]), minor: Number(match[3] ?? 0) }
}
