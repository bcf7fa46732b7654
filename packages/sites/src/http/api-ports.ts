import type { Row } from '@godwit/store'
import type { PeerSite } from '../peer/peer-site.ts'
import type { Site } from '../site.ts'
import type { RegionReader } from '../subcloud/region-reader.ts'

/** What the routes need of the rest of a site. */
export interface ApiPorts {
  readonly site: Site
  /** @param peer a row of `system_peer` */
  readonly peerSite: (peer: Row) => PeerSite
  readonly regionReader: RegionReader
  /** How long the deletion of an association is waited for before the caller is told that it goes on. 45 s unless told. */
  readonly deletionWaitMs?: number
}
