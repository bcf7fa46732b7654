/** Where a decision moves a cursor. Pure; each stage gets its own deadline when it begins, in either direction. */
import { type Cursor, type Direction, type StageTable, stageNamed } from '@godwit/core'

export function enterStage<Facts, Effect, Name extends string>(
  table: StageTable<Facts, Effect, Name>,
  stage: Name,
  direction: Direction,
  nowMs: number,
): Cursor<Name> {
  const { deadlineMs } = stageNamed(table, stage)
  const limit = Number.isFinite(deadlineMs) ? { deadlineMs: nowMs + deadlineMs } : {}
  return { stage, direction, entered: false, ...limit }
}
