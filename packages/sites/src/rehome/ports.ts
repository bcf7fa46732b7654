import type { Row } from '@godwit/store'
import type { SubcloudProbe } from '../availability/probe.ts'
import type { Executor } from '../executor/executor.ts'
import type { PeerSite } from '../peer/peer-site.ts'
import type { Site } from '../site.ts'

/** What the workers of batches need of the rest of a site. */
export interface RehomePorts {
  readonly site: Site
  readonly executor: Executor
  readonly probe: SubcloudProbe
  /** @param peer a row of `system_peer` */
  readonly peerSite: (peer: Row) => PeerSite
}
