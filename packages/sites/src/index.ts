export { type Destination, inventoryOf, type Overrides, overridesOf } from './ansible/inventory.ts'
export {
  PlaybookRunner,
  type PlaybookRunnerOptions,
  type RehomeRun,
  type RunOutcome,
} from './ansible/playbook-runner.ts'
