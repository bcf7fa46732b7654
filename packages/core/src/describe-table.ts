import type { Guard, StageTable, Step } from './stage.ts'

const cell = (text: string) => text.replaceAll('|', '\\|')
const list = (lines: readonly string[]) => (lines.length ? lines.map(line => cell(line)).join('<br>') : '–')

function describeStep<Facts, Effect>(step: Step<Facts, Effect>): string {
  return step.permit ? `${step.what} *(only when ${step.permit.what})*` : step.what
}

const describeGuards = <Facts>(guards: readonly Guard<Facts>[]) => list(guards.map(guard => guard.what))

/** A Markdown table of a stage table: what each row demands, does, proves and undoes. For the generated docs. */
export function describeTable<Facts, Effect>(table: StageTable<Facts, Effect>): string {
  const head =
    '| Stage | Deadline | Demands | Does, in order | Proven by | Undo, in order | Undone when |\n|---|---|---|---|---|---|---|'
  const rows = table.stages.map(stage =>
    [
      '',
      `**${stage.name}**`,
      Number.isFinite(stage.deadlineMs) ? `${stage.deadlineMs / 60_000} min` : 'none',
      describeGuards(stage.guards),
      list(stage.steps.map(describeStep)),
      cell(stage.proof.what),
      list(stage.undo.map(describeStep)),
      cell(stage.undone.what),
      '',
    ]
      .join(' | ')
      .trim(),
  )
  return [head, ...rows].join('\n')
}

/** A Mermaid state diagram of a stage table: forward along the rows, back from every row that has something to undo. */
export function describeDiagram<Facts, Effect>(table: StageTable<Facts, Effect>): string {
  const names = table.stages.map(stage => stage.name)
  const lines = ['stateDiagram-v2', `  [*] --> ${names[0]}`]
  for (const [index, stage] of table.stages.entries()) {
    const next = names[index + 1]
    lines.push(`  ${stage.name} --> ${next ?? '[*]'}: ${stage.proof.what}`)
    const previous = names[index - 1]
    if (stage.undo.length > 0) lines.push(`  ${stage.name} --> ${previous ?? '[*]'}: undo`)
  }
  return lines.join('\n')
}
