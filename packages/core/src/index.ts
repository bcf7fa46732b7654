export { type Cursor, type Decision, type Direction, decide, TIMEOUT } from './decide.ts'
export { describeDiagram, describeTable } from './describe-table.ts'
export { Retryable, Terminal } from './errors.ts'
export {
  type Guard,
  nothingToProve,
  type Stage,
  type StageTable,
  type Step,
  stageAfter,
  stageBefore,
  stageNamed,
} from './stage.ts'
export { fails, holds, type Verdict, waits } from './verdict.ts'
