export * from './api/index.ts'
export { checkConcurrency, DEFAULT_CONCURRENCY, type OperatorOptions, runOperator } from './controller/operator.ts'
export { OperatorMetrics } from './controller/operator-metrics.ts'
export { type MovePlan, planMove } from './plan/plan-move.ts'
export { readMovePlan } from './plan/read-plan.ts'
export { type OperatorRule, operatorRules } from './rbac.ts'
export {
  anonymous,
  firstOf,
  type RegistryCredentialSource,
  type RegistryCredentials,
} from './registry/credentials.ts'
export { type DockerConfigOptions, dockerConfig } from './registry/docker-config.ts'
export { type OciRegistryOptions, ociRegistry } from './registry/oci-registry.ts'
export * from './registry/registry.ts'
export { parseRegistryBase, type RegistryBase } from './registry/registry-base.ts'
export { decideSet } from './set/decide-set.ts'
export type { SetFacts, SetPlan } from './set/set-facts.ts'
export { nodesDocs } from './stage-docs.ts'
