/** The whole API of a site, as one exchange: over sockets, or from hand to hand. */
import { alarmRoutes } from '../alarms/routes.ts'
import { associationRoutes } from '../association/routes.ts'
import type { EmbeddedKeystone } from '../auth/embedded-keystone.ts'
import type { Identities } from '../auth/identities.ts'
import { failoverRoutes } from '../failover/routes.ts'
import { operationRoutes } from '../operation/routes.ts'
import { systemPeerRoutes } from '../peer/routes.ts'
import { systemRoutes } from '../peer/system-routes.ts'
import { peerGroupRoutes } from '../peer-group/routes.ts'
import { subcloudRoutes } from '../subcloud/routes.ts'
import { subcloudViewRoutes } from '../subcloud/views.ts'
import { subcloudGroupRoutes } from '../subcloud-group/routes.ts'
import { type ApiOptions, apiExchange } from './api.ts'
import type { ApiPorts } from './api-ports.ts'
import type { HttpExchange } from './exchange.ts'
import { withOpenApi } from './openapi.ts'
import type { Route } from './route.ts'

export interface SiteApiOptions extends ApiPorts {
  readonly identities: Identities
  /** Answers below /v3; left out when another keystone does. */
  readonly keystone?: EmbeddedKeystone
  readonly trustsUserAgent?: boolean
  readonly publicUrl?: string
}

export function siteRoutes(ports: ApiPorts): readonly Route[] {
  return withOpenApi([
    ...systemPeerRoutes,
    ...systemRoutes(ports.site),
    ...peerGroupRoutes(ports),
    ...associationRoutes(ports),
    ...subcloudRoutes(ports),
    ...subcloudViewRoutes(ports),
    ...subcloudGroupRoutes,
    ...operationRoutes,
    ...alarmRoutes,
    ...failoverRoutes(ports.site),
  ])
}

export function siteApi(options: SiteApiOptions): HttpExchange {
  const { site, identities, keystone, trustsUserAgent, publicUrl } = options
  const api: ApiOptions = {
    database: site.database,
    logger: site.logger,
    routes: siteRoutes(options),
    identities,
    ...(keystone && { keystone }),
    ...(trustsUserAgent !== undefined && { trustsUserAgent }),
    ...(publicUrl !== undefined && { publicUrl }),
  }
  return apiExchange(api)
}
