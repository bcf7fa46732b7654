export { type Destination, inventoryOf, type Overrides, overridesOf } from './ansible/inventory.ts'
export {
  PlaybookRunner,
  type PlaybookRunnerOptions,
  type RehomeRun,
  type RunOutcome,
} from './ansible/playbook-runner.ts'
export { EmbeddedKeystone, type EmbeddedUser } from './auth/embedded-keystone.ts'
export type { Identity, Policy } from './auth/policies.ts'
export { Tokens } from './auth/tokens.ts'
export { CONFIG_HINTS } from './config/hints.ts'
export { loadConfig, type SiteConfig } from './config/load.ts'
export { configSchema as siteConfigSchema } from './config/schema.ts'
export { type SitesServer, type SitesServerOptions, startSitesServer } from './http/server.ts'
export { systemPeerRoutes } from './peer/routes.ts'
export { newKeyText } from './secrets/key-ring.ts'
export { type Service, type ServicePorts, startService } from './service.ts'
export { sitesSchema } from './state/schema.ts'
export { subcloudGroupRoutes } from './subcloud-group/routes.ts'
