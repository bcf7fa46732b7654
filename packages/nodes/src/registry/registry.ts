/**
 * What the operator asks of an OCI registry. Repositories are VM names, below the base that the registry was made with.
 * "Known absent" is an answer (undefined); not knowing is always a RegistryError, and permits nothing.
 */

/** Why the registry gave no usable answer. A 404 is no failure: it is the answer "absent". */
export type RegistryFailure =
  /** 401, also after a token was fetched. */
  | 'Unauthorized'
  /** 403: the usual sign of a role that may push and not delete. */
  | 'Forbidden'
  /** 405, or an error code UNSUPPORTED: deletion is switched off. */
  | 'DeletionDisabled'
  /** 429. */
  | 'RateLimited'
  /** 5xx, no connection, a time-out, an answer cut off. */
  | 'Unavailable'
  /** An answer that no registry should give: a digest that does not match, a manifest that is not one. */
  | 'Invalid'

export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly failure: RegistryFailure
  /** HTTP code; 0 when no answer arrived. */
  readonly status: number
  /** How long the registry asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined
  constructor(
    failure: RegistryFailure,
    message: string,
    options: { readonly status?: number; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.failure = failure
    this.status = options.status ?? 0
    this.retryAfterMs = options.retryAfterMs
  }
}

export interface TagAnswer {
  /** `sha256:…` of the manifest. */
  readonly digest: string
}

/** What a snapshot says of itself, in its manifest and config blob. */
export interface Snapshot {
  readonly digest: string
  /** From the config blob. */
  readonly snapshotId: string | undefined
  /** Manifest annotation `cocoonstack.snapshot.baseimage`. */
  readonly baseImage: string | undefined
  /** Whether the config blob could be read and every layer is there: the tag can be restored from. */
  readonly isComplete: boolean
}

export interface SnapshotRegistry {
  /** HEAD of a manifest. Undefined: the registry knows that there is none. Throws RegistryError. */
  head(repository: string, tag: string, signal?: AbortSignal): Promise<TagAnswer | undefined>
  /** The manifest and its config blob, by tag or digest. Undefined: the manifest is known to be absent. Throws RegistryError. */
  read(repository: string, reference: string, signal?: AbortSignal): Promise<Snapshot | undefined>
  /** Removes exactly this manifest: a newer push under the same tag survives. Throws RegistryError. */
  deleteByDigest(repository: string, digest: string, signal?: AbortSignal): Promise<'deleted' | 'absent'>
}

/** Tags of one repository. */
export const snapshotTags = {
  /** Suspend, hibernate, migrate: the newest saved state of a VM that does not run. */
  hibernate: 'hibernate',
  /** Pushed by the node agent when a pod is deleted, as the snapshot policy says. */
  latest: 'latest',
} as const
