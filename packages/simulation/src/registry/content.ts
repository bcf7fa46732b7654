/** What an OCI registry holds, in memory: blobs, manifests and tags of each repository. Knows no HTTP. */
import { createHash } from 'node:crypto'

export interface StoredManifest {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

/** Something that happened to a tag. `previous` is the digest it named before. */
export interface TagChange {
  readonly type: 'pushed' | 'deleted'
  readonly repository: string
  readonly tag: string
  readonly digest: string
  readonly previous: string | undefined
}

interface Repository {
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, string>
}

export const digestOf = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** `sha256:` and 64 hexadecimal digits. */
export const isDigest = (text: string) => /^sha256:[0-9a-f]{64}$/.test(text)

export class RegistryContent {
  readonly #repositories = new Map<string, Repository>()
  readonly #listeners = new Set<(change: TagChange) => void>()

  /** Tells of every change of a tag just after it happened; returns how to unsubscribe. */
  onTagChange(listener: (change: TagChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @param reference a tag or a digest */
  manifest(repository: string, reference: string): StoredManifest | undefined {
    const found = this.#repositories.get(repository)
    const digest = isDigest(reference) ? reference : found?.tags.get(reference)
    return digest === undefined ? undefined : found?.manifests.get(digest)
  }

  blob(repository: string, digest: string): Buffer | undefined {
    return this.#repositories.get(repository)?.blobs.get(digest)
  }

  /** In order of their names; undefined: there is no such repository. */
  tags(repository: string): readonly string[] | undefined {
    const found = this.#repositories.get(repository)
    return found && [...found.tags.keys()].sort()
  }

  /** Every tag there is, with what it names. */
  *allTags(): Iterable<{ readonly repository: string; readonly tag: string; readonly digest: string }> {
    for (const [repository, { tags }] of this.#repositories)
      for (const [tag, digest] of tags) yield { repository, tag, digest }
  }

  putBlob(repository: string, bytes: Buffer): string {
    const digest = digestOf(bytes)
    this.#repository(repository).blobs.set(digest, bytes)
    return digest
  }

  deleteBlob(repository: string, digest: string): boolean {
    return this.#repositories.get(repository)?.blobs.delete(digest) ?? false
  }

  /** @param reference a tag, or the digest of the bytes */
  putManifest(repository: string, reference: string, manifest: Omit<StoredManifest, 'digest'>): string {
    const digest = digestOf(manifest.bytes)
    const { manifests, tags } = this.#repository(repository)
    manifests.set(digest, { ...manifest, digest })
    if (isDigest(reference)) return digest
    const previous = tags.get(reference)
    tags.set(reference, digest)
    this.#tell({ type: 'pushed', repository, tag: reference, digest, previous })
    return digest
  }

  /** With all tags that name it; false: there was none. */
  deleteManifest(repository: string, digest: string): boolean {
    const found = this.#repositories.get(repository)
    if (!found?.manifests.delete(digest)) return false
    for (const [tag, named] of [...found.tags]) if (named === digest) this.deleteTag(repository, tag)
    return true
  }

  /** The tag alone, as a retention rule does; false: there was none. */
  deleteTag(repository: string, tag: string): boolean {
    const tags = this.#repositories.get(repository)?.tags
    const digest = tags?.get(tag)
    if (digest === undefined) return false
    tags?.delete(tag)
    this.#tell({ type: 'deleted', repository, tag, digest, previous: digest })
    return true
  }

  #repository(name: string): Repository {
    const found = this.#repositories.get(name)
    if (found) return found
    const made: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map() }
    this.#repositories.set(name, made)
    return made
  }

  #tell(change: TagChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}
