import type { Clock, Logger, Random } from '@godwit/ports'
import type { User } from '../api/user.ts'
import type { StaticUser } from '../auth/index.ts'
import type { Approver } from '../controllers/certificate-signer.ts'
import type { FaultRule } from '../faults/fault.ts'
import type { ChangeNote } from '../rest/call.ts'
import type { ServerImage } from './server-image.ts'

/** Access control: tokens, certificates and RBAC. */
export interface AuthOptions {
  /** Users known by token, besides `admin`. */
  readonly users?: readonly StaticUser[]
  /** Default true: whoever shows no credentials is `system:anonymous`. False answers 401. */
  readonly anonymous?: boolean
}

/** Who asks for what. */
export interface RequestNote {
  readonly user: string
  /** get, list, watch, create, update, patch, delete, deletecollection; empty for a method the API does not know. */
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly namespace: string
}

export interface KubeServerOptions {
  /** Default `memory`. A folder is made when it is missing, survives crashes, and belongs to one server at a time. */
  readonly storage?: 'memory' | { readonly folder: string }
  /** Default 0: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** False: no socket at all, only `transport()` and `handle()`. Default true. */
  readonly listen?: boolean
  /** Default false: plain http. With access control use true: kubectl sends no credentials over plain http. */
  readonly tls?: boolean
  /** Default `open`: everybody may do everything, and is `system:admin` unless they show who they are. */
  readonly auth?: 'open' | AuthOptions
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  /** Faults that are switched on from the start; `faults` of the server adds more. */
  readonly faults?: readonly FaultRule[]
  /** Decides certificate requests without a person. */
  readonly approver?: Approver
  /** Told of each request for a resource once its user is known: for counting and for audit. Must not throw. */
  readonly onRequest?: (request: RequestNote) => void
  /** Told of each write that changed something, the server's own included, in its order. Must not write itself, nor throw. */
  readonly onChange?: (change: ChangeNote) => void
  /** Events kept per collection for watches; default 10,000. */
  readonly historyEvents?: number
  /**
   * False: no object has `metadata.managedFields`, and server-side apply is answered with 501. For simulations in which
   * nobody reads them: they are half of the bytes, and a tenth of the work of each write. Default true.
   */
  readonly tracksFields?: boolean
  /** Begins with all that a server in memory had when the image was made: objects, versions, authority and keys. */
  readonly image?: ServerImage
}

/** A user by name, or with groups. */
export type Caller = string | User
