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
export { type SitesServer, type SitesServerOptions, startSitesServer } from './http/server.ts'
export { systemPeerRoutes } from './peer/routes.ts'
export { sitesSchema } from './state/schema.ts'
export { subcloudGroupRoutes } from './subcloud-group/routes.ts'
