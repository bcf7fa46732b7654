/** Draws where a migration stands: a bar for each stage, what is waited for, and what happened last. Draws only. */
import { lineOf, oneLine, type Piece, plain, styled } from './render-text.ts'

/** How many items stand where in one stage; the rest of the total has not come to it yet. */
export interface StageView {
  readonly name: string
  readonly done: number
  readonly acting: number
  readonly waiting: number
  readonly failed: number
}

export interface DemoView {
  readonly title: string
  readonly phase: string
  readonly elapsedMs: number
  readonly stages: readonly StageView[]
  /** Items in all. */
  readonly total: number
  /** What is waited for, since when, who can unblock it; the most important first. */
  readonly waitingFor: readonly string[]
  /** Kills, recoveries and other news, oldest first. */
  readonly log: readonly string[]
}

const maxWaits = 4
const maxNews = 8
const minWidth = 20
const barWidth = { min: 8, max: 40 }

/** The table as lines of at most `width` columns, ready to print. */
export function renderTable(view: DemoView, width: number, isColoured = false): string[] {
  const columns = Math.max(minWidth, width)
  const waits = view.waitingFor.slice(0, maxWaits).map(text => [styled('faint', '  waits for  '), plain(oneLine(text))])
  const hidden = view.waitingFor.length - waits.length
  const lines: (readonly Piece[])[] = [
    [styled('strong', oneLine(view.title)), plain(`  ${clockText(view.elapsedMs)}  `), styled('active', view.phase)],
    [],
    ...stageLines(view, columns),
    ...(waits.length > 0 ? [[]] : []),
    ...waits,
    ...(hidden > 0 ? [[styled('faint', `             and ${hidden} more`)]] : []),
    ...(view.log.length > 0 ? [[]] : []),
    ...view.log.slice(-maxNews).map(text => [styled('faint', '  · '), plain(oneLine(text))]),
  ]
  return lines.map(pieces => lineOf(pieces, columns, isColoured))
}

/** Where the migration stands, in one line without the time: what a log file wants to know. */
export function progressLine(view: DemoView): string {
  const stages = view.stages
    .filter(({ done, acting, waiting, failed }) => done + acting + waiting + failed > 0)
    .map(stage => `${stage.name} ${stage.done}/${view.total}${stage.failed > 0 ? ` (${stage.failed} failed)` : ''}`)
  const wait = view.waitingFor[0]
  return [view.phase, ...stages, ...(wait === undefined ? [] : [`waits for ${oneLine(wait)}`])].join(', ')
}

/** Minutes and seconds, `1:05`. */
export function clockText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function stageLines(view: DemoView, columns: number): Piece[][] {
  const nameWidth = Math.max(0, ...view.stages.map(({ name }) => name.length))
  const countWidth = String(view.total).length
  const rest = columns - nameWidth - 2 * countWidth - 10
  const bar = Math.min(barWidth.max, Math.max(barWidth.min, rest - '  300 acting  300 waiting  300 failed'.length))
  return view.stages.map(stage => [
    plain(`  ${stage.name.padEnd(nameWidth)}  `),
    ...barOf(stage, view.total, bar),
    plain(`  ${String(stage.done).padStart(countWidth)}/${view.total}`),
    ...countOf('active', stage.acting, 'acting', countWidth),
    ...countOf('faint', stage.waiting, 'waiting', countWidth),
    ...countOf('bad', stage.failed, 'failed', countWidth),
  ])
}

function countOf(style: Piece['style'], count: number, word: string, width: number): Piece[] {
  return count === 0 ? [] : [styled(style, `  ${String(count).padStart(width)} ${word}`)]
}

/** Done from the left, then failed, acting and waiting; a share that is not zero shows at least one cell. */
function barOf({ done, acting, waiting, failed }: StageView, total: number, width: number): Piece[] {
  const shares: [Piece['style'], string, number][] = [
    ['good', '█', done],
    ['bad', '×', failed],
    ['active', '▓', acting],
    ['faint', '░', waiting],
  ]
  let left = width
  const pieces = shares.map(([style, cell, count]) => {
    const wanted = count === 0 ? 0 : Math.max(1, Math.floor((count / Math.max(1, total)) * width))
    const cells = Math.min(left, wanted)
    left -= cells
    return styled(style, cell.repeat(cells))
  })
  return [...pieces, styled('faint', '·'.repeat(left))]
}
