/** How the server's own controllers write: through the same rules as everybody, without authorization. */
import type { JsonObject, KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import type { ApiRequest } from '../http/message.ts'
import type { Draft, Resource } from '../registry/resource.ts'
import type { Call, Core } from '../rest/call.ts'
import { createObject } from '../rest/create.ts'
import { type DeleteOptions, deleteObject } from '../rest/delete.ts'
import { changeObject, type Write } from '../rest/update.ts'

export interface Target {
  readonly resource: Resource
  readonly namespace: string
  readonly name: string
}

const noQuery = new URLSearchParams()

export class Operations {
  readonly #core: Core
  readonly #user: User
  readonly #request: ApiRequest

  constructor(core: Core, controller: string) {
    this.#core = core
    this.#user = { name: `system:${controller}`, groups: ['system:masters', 'system:authenticated'] }
    this.#request = { method: 'POST', url: '/', headers: { 'user-agent': `${controller}/v1` } }
  }

  /** Creates it unless it is there already, or its namespace is gone or going. */
  async ensure(target: Target, object: JsonObject): Promise<void> {
    const { resource, namespace, name } = target
    const key = { collection: resource.collection, namespace, name }
    if (this.#core.store.head(key)) return
    const metadata = { ...(object['metadata'] as JsonObject | undefined), name, ...(namespace && { namespace }) }
    const draft = {
      ...structuredClone(object),
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata,
    } as Draft
    try {
      await createObject(this.#core, this.#call({ ...target, name: '' }, ''), draft, {
        dryRun: false,
        tracking: this.#tracking(),
      })
    } catch (error) {
      if (!isPointless(error)) throw error
    }
  }

  /** Deletes it; gone already is fine, and so is another object of that name when a uid was given. */
  async remove(target: Target, options: Partial<Omit<DeleteOptions, 'dryRun'>> = {}): Promise<void> {
    const { propagation, uid, resourceVersion } = options
    try {
      await deleteObject(this.#core, this.#call(target, ''), { dryRun: false, propagation, uid, resourceVersion })
    } catch (error) {
      if (!isSettled(error)) throw error
    }
  }

  /** Changes it; `change` gets a mutable copy of the newest state and returns false to leave it alone. */
  async update(target: Target, subresource: string, change: (object: Draft) => boolean): Promise<void> {
    try {
      await changeObject(this.#core, this.#call(target, subresource), this.#write(), view => {
        const draft: Draft = JSON.parse(view.json)
        return change(draft) ? draft : unchanged(view.object)
      })
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error
    }
  }

  #call({ resource, namespace, name }: Target, subresource: string): Call {
    return {
      request: this.#request,
      user: this.#user,
      resource,
      namespace,
      name,
      subresource,
      query: noQuery,
      warnings: [],
    }
  }

  #tracking() {
    const agent = this.#request.headers['user-agent']
    return { manager: String(agent).split('/')[0] ?? '', isTracked: false }
  }

  #write(): Write {
    const options = { dryRun: false, fieldValidation: 'Ignore', fieldManager: '', force: undefined } as const
    return { options, tracking: this.#tracking() }
  }
}

const unchanged = (object: KubeObject): Draft => ({ ...object, metadata: { ...object.metadata } })

/** Somebody else made it, or there is no place for it any more. */
function isPointless(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false
  const isTerminating = error.details?.causes?.some(cause => cause.reason === 'NamespaceTerminating') ?? false
  const isWithoutNamespace = error.code === 404 && error.details?.kind === 'namespaces'
  return error.reason === 'AlreadyExists' || isTerminating || isWithoutNamespace
}

const isSettled = (error: unknown) => error instanceof StatusError && (error.code === 404 || error.code === 409)
