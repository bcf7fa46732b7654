/** Signs approved client certificate requests, and approves those that the owner of the server wants approved. */
import { type Clock, type Logger, rfc3339 } from '@godwit/ports'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { signingDecision } from '../auth/index.ts'
import { type Authority, signCertificateRequest } from '../pki/index.ts'
import { certificateSigningRequests } from '../registry/builtin/certificate-signing-request.ts'
import { csrConditions, statusPart } from '../registry/builtin/csr-status.ts'
import type { Draft } from '../registry/resource.ts'
import type { Store } from '../store/types.ts'
import { KeyedWorker } from './keyed-worker.ts'
import type { Operations, Target } from './operations.ts'

/** True approves the request, false denies it, undefined leaves it to others. */
export type Approver = (request: KubeObject) => boolean | undefined

export interface CertificateSignerOptions {
  readonly store: Store
  readonly operations: Operations
  readonly clock: Clock
  readonly logger: Logger
  readonly authority: Authority
  readonly approver: Approver | undefined
}

export class CertificateSigner {
  readonly #options: CertificateSignerOptions
  readonly #worker: KeyedWorker
  readonly #stop: () => void

  constructor(options: CertificateSignerOptions) {
    this.#options = options
    const { store, clock, logger } = options
    this.#worker = new KeyedWorker({ clock, logger, name: 'certificates', run: name => this.#process(name) })
    const { collection } = certificateSigningRequests
    for (const { key } of store.scan(collection)) this.#worker.add(key.name)
    this.#stop = store.watch(collection, undefined, ({ type, stored }) => {
      if (type !== 'DELETED') this.#worker.add(stored.key.name)
    })
  }

  idle(): Promise<void> | undefined {
    return this.#worker.idle()
  }

  async stop(): Promise<void> {
    this.#stop()
    await this.#worker.stop()
  }

  async #process(name: string): Promise<void> {
    const { store, approver, authority, clock } = this.#options
    const request = store.get({ collection: certificateSigningRequests.collection, namespace: '', name })?.object
    if (!request) return
    const isOpen = !csrConditions(request).some(one => one.type === 'Approved' || one.type === 'Denied')
    const answer = isOpen ? approver?.(request) : undefined
    if (answer !== undefined) return this.#addCondition(request, 'approval', decisionCondition(answer))
    const decision = signingDecision(request)
    if (decision.do === 'nothing') return
    if (decision.do === 'fail') {
      const { reason, message } = decision
      return this.#addCondition(request, 'status', { type: 'Failed', status: 'True', reason, message })
    }
    const { requestPem, usages, ttlSeconds } = decision
    const pem = await signCertificateRequest(authority, { requestPem, usages, ttlSeconds, now: clock.now() })
    await this.#update(request, 'status', (draft, status) => {
      if (status['certificate'] !== undefined) return false
      draft['status'] = { ...status, certificate: Buffer.from(pem).toString('base64') }
      return true
    })
  }

  #addCondition(request: KubeObject, subresource: string, condition: JsonObject): Promise<void> {
    const now = rfc3339(this.#options.clock.now())
    return this.#update(request, subresource, (draft, status) => {
      const conditions = csrConditions(draft)
      if (conditions.some(one => one.type === condition['type'])) return false
      draft['status'] = { ...status, conditions: [...conditions, { ...condition, lastUpdateTime: now }] }
      return true
    })
  }

  /** Changes the very request that was judged: another one of that name may ask for anything. */
  #update(
    request: KubeObject,
    subresource: string,
    change: (draft: Draft, status: JsonObject) => boolean,
  ): Promise<void> {
    const { name, uid } = request.metadata
    const target: Target = { resource: certificateSigningRequests, namespace: '', name }
    return this.#options.operations.update(
      target,
      subresource,
      draft => draft.metadata.uid === uid && change(draft, statusPart(draft)),
    )
  }
}

const decisionCondition = (isApproved: boolean): JsonObject => ({
  type: isApproved ? 'Approved' : 'Denied',
  status: 'True',
  reason: isApproved ? 'AutoApproved' : 'AutoDenied',
  message: 'Decided by the approver of this server.',
})
