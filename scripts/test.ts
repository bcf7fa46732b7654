// npm test [-- WORD… --name PATTERN]: runs every test file, or those whose path holds one of the words.
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runFiles } from './testing/run-files.ts'
import { selectFiles, testPatterns } from './testing/selection.ts'

const help = `npm test [-- WORD… [--name PATTERN]… [--list] [--jobs N] [--limit MINUTES] [--seed N|random]]

  WORD            run only test files whose path holds this word (any of several)
  --name PATTERN  run only tests whose name matches the regular expression
  --list          print the files instead of running them
  --jobs N        how many files run at once (default: one for each core)
  --limit MINUTES stop the whole run after this long (default: 15)
  --seed N|random what property tests draw their examples from (default: 1, the same examples in every run)`

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    limit: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
process.exitCode = await main()

async function main(): Promise<number> {
  if (values.help) {
    console.log(help)
    return 0
  }
  const files = selectFiles(
    testPatterns.flatMap(pattern => globSync(pattern, { cwd: root })),
    positionals,
  )
  if (values.list) {
    console.log(files.join('\n'))
    return 0
  }
  if (files.length === 0) {
    console.error(`test: no test file's path holds ${positionals.join(' or ')}`)
    return 1
  }
  if (values.seed !== 'random') process.env['GODWIT_TEST_SEED'] = String(positive('--seed', values.seed))
  process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache/compiled')
  const { ran, failedFiles } = await runFiles({
    root,
    files,
    names: values.name,
    concurrency: positive('--jobs', values.jobs),
    limitMs: positive('--limit', values.limit) * 60_000,
    write: text => process.stdout.write(text),
  })
  if (ran === 0) console.error('test: no test ran')
  return ran === 0 || failedFiles.length > 0 ? 1 : 0
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  console.error(`test: ${option} ${text}: a number above 0 is needed`)
  process.exit(2)
}
