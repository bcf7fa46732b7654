export { HubAgent, type HubAgentOptions } from './agent/hub-agent.ts'
export * from './api/index.ts'
export { type ControllerOptions, runController } from './controller/controller.ts'
export { processSamples, requestSamples } from './metrics/collectors.ts'
export { Metrics } from './metrics/metrics.ts'
export { agentPreflight, controllerPreflight } from './preflight/parties.ts'
export {
  agentRulesOnGlobalHub,
  agentRulesOnHub,
  clusterRoleFor,
  controllerRules,
  type PolicyRule,
  roleFor,
} from './rbac.ts'
export { type MigrationView, readStatus, renderStatus } from './report/read-status.ts'
export type { ClusterRow } from './report/rows.ts'
export { hubsStageDocs } from './stage-docs.ts'
