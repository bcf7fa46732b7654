/** Starts and stops everything that acts on its own. */
import type { Clock, Logger } from '@godwit/ports'
import { RoleAggregation } from '../auth/index.ts'
import { type Approver, CertificateSigner } from '../controllers/certificate-signer.ts'
import { CrdController } from '../controllers/crd-controller.ts'
import { EventExpiry } from '../controllers/event-expiry.ts'
import { Feed } from '../controllers/feed.ts'
import { GarbageCollector } from '../controllers/garbage-collector.ts'
import { NamespaceController } from '../controllers/namespace-controller.ts'
import { Operations } from '../controllers/operations.ts'
import type { CompiledSchemas } from '../crd/compiled-schemas.ts'
import type { Authority } from '../pki/index.ts'
import type { Core } from '../rest/call.ts'

export interface ControllersOptions {
  readonly core: Core
  readonly logger: Logger
  readonly authority: Authority
  readonly schemas: CompiledSchemas
  readonly approver: Approver | undefined
  /** Keep the rules of aggregated roles: only with access control. */
  readonly aggregatesRoles: boolean
}

export interface Controllers {
  /** Resolves when none of them has anything to do right now. */
  idle(): Promise<void>
  stop(): Promise<void>
}

interface Part {
  /** Undefined: it has nothing to do. */
  idle?(): Promise<void> | undefined
  stop(): Promise<void> | void
}

export function startControllers({
  core,
  logger,
  authority,
  schemas,
  approver,
  aggregatesRoles,
}: ControllersOptions): Controllers {
  const { store, registry } = core
  const clock: Clock = core.clock
  const feed = new Feed(store, registry)
  const operations = (name: string) => new Operations(core, name)
  const common = { store, clock, logger }
  const definitions = new CrdController({ ...common, registry, schemas, operations: operations('crd-controller') })
  const collector = new GarbageCollector({ ...common, registry, operations: operations('generic-garbage-collector') })
  const caPem = authority.certPem
  const namespaces = new NamespaceController({ ...common, feed, operations: operations('namespace-controller'), caPem })
  const certificates = new CertificateSigner({
    ...common,
    operations: operations('certificate-controller'),
    authority,
    approver,
  })
  const expiry = new EventExpiry({ ...common, operations: operations('event-expiry') })
  feed.listen(collector)
  feed.listen(namespaces)
  feed.start()
  const parts: Part[] = [definitions, collector, namespaces, certificates, expiry, feed]
  if (aggregatesRoles)
    parts.push(
      new RoleAggregation(store, error => logger.warn({ error: String(error) }, 'rules of a role were not written')),
    )
  return {
    async idle() {
      // One's work is another's event: twice round settles chains of two.
      for (let round = 0; round < 2; round++)
        for (const part of parts) {
          const busy = part.idle?.()
          if (busy) await busy
        }
    },
    async stop() {
      feed.stop()
      await Promise.all(parts.map(part => part.stop()))
    },
  }
}
