// npm run check [-- NAME…]: everything that can be said of the source without running it. NAME picks checks by a part
// of their name.
import { fileURLToPath } from 'node:url'
import { dependencyList } from './checks/dependency-list.ts'
import { fileRules } from './checks/file-rules.ts'
import { importDirections } from './checks/import-directions.ts'
import { portsOnly } from './checks/ports-only.ts'
import { type Check, openProject } from './checks/project.ts'
import { testReferences } from './checks/test-references.ts'
import { textRules } from './checks/text-rules.ts'
import { runTool, type Tool, type Verdict } from './checks/tool.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools: readonly Tool[] = [
  { name: 'types (tsc)', command: 'tsc', args: ['-p', '.', '--pretty', 'false'] },
  {
    name: 'lint and format (biome)',
    command: 'biome',
    args: ['check', '--colors=off', '--diagnostic-level=error', '.'],
  },
  { name: 'generated parts of the docs', command: process.execPath, args: ['scripts/docs.ts', '--check'] },
  { name: 'generated manifests', command: process.execPath, args: ['scripts/manifests.ts', '--check'] },
]
const checks: readonly Check[] = [importDirections, portsOnly, fileRules, textRules, dependencyList, testReferences]

const wanted = process.argv.slice(2)
const isWanted = ({ name }: { name: string }) => wanted.length === 0 || wanted.some(part => name.includes(part))
const chosenTools = tools.filter(isWanted)
const chosenChecks = checks.filter(isWanted)
if (chosenTools.length + chosenChecks.length === 0) {
  const names = [...tools, ...checks].map(({ name }) => `  ${name}`).join('\n')
  console.error(`check: no check is called ${wanted.join(' or ')}. There are:\n${names}`)
  process.exit(2)
}

const running = chosenTools.map(tool => runTool(tool, root).then(show))
const project = openProject(root)
const verdicts = chosenChecks.map(check => show({ name: check.name, problems: check.run(project) }))
verdicts.push(...(await Promise.all(running)))
const failed = verdicts.filter(({ problems }) => problems.length > 0)
console.log(
  failed.length === 0
    ? `check: all ${verdicts.length} hold`
    : `check: ${failed.length} of ${verdicts.length} failed: ${failed.map(({ name }) => name).join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

function show(verdict: Verdict): Verdict {
  const { name, problems } = verdict
  console.log(problems.length === 0 ? `ok    ${name}` : `FAIL  ${name}`)
  for (const problem of problems) console.log(`        ${problem}`)
  return verdict
}
