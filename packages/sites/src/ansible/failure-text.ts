/** What a person needs of the output of a playbook that failed: the failed task, and the last thing it said. Pure. */

const MAX_CHARACTERS = 1_000
const TASK = /^(?:TASK|RUNNING HANDLER) \[(?<name>.*?)\] \**\s*$/
const FAILURE = /^(?:fatal: \[|ERROR|failed: \[)|UNREACHABLE!/
const RECAP = /^PLAY RECAP/

export interface PlaybookFailure {
  /** Name of the task that failed; undefined when none had begun. */
  readonly task: string | undefined
  readonly text: string
}

export function failureOf(output: string): PlaybookFailure {
  let task: string | undefined
  let failedTask: string | undefined
  let block: string[] = []
  let isInside = false
  for (const line of output.split('\n')) {
    if (RECAP.test(line)) break
    const name = TASK.exec(line)?.groups?.['name']
    if (FAILURE.test(line)) {
      block = [line]
      failedTask = task
      isInside = true
    } else if (name !== undefined || line.trim() === '') {
      task = name ?? task
      isInside = false
    } else if (isInside) block.push(line)
  }
  return { task: failedTask, text: shortened(block.join('\n')) }
}

const shortened = (text: string) => (text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 1)}…`)
