/** Time, timers and randomness come in through `@godwit/ports`, so that every run can be replayed. */
import { importsOf } from './imports.ts'
import { type Check, isTest, sourcesOf } from './project.ts'
import { codeOf, lineAt } from './source-segments.ts'

interface Rule {
  readonly pattern: RegExp
  readonly instead: string
}

const clock = 'take a Clock from @godwit/ports'
const timeRules: readonly Rule[] = [
  { pattern: /\bDate\.now\b/g, instead: clock },
  { pattern: /\bnew\s+Date\s*(?:\(\s*\)|(?![\s(.\w]))/g, instead: clock },
  { pattern: /\bperformance\.now\b/g, instead: clock },
  { pattern: /\bprocess\.hrtime\b/g, instead: clock },
  { pattern: /(?<!\.)\bset(?:Timeout|Interval|Immediate)\b/g, instead: clock },
  { pattern: /\bAbortSignal\.timeout\b/g, instead: clock },
  { pattern: /\bMath\.random\b/g, instead: 'take a Random from @godwit/ports' },
]
const secretRule: Rule = {
  pattern: /\b(?:randomUUID|randomBytes|randomInt|getRandomValues)\b/g,
  instead: 'take a Random from @godwit/ports; only folders named in scripts/checks/ports-only.ts make secrets',
}

/** The folders whose randomness must be unguessable, so that a seed would be a defect. */
const secretMakers = /^packages\/(kube-server\/src\/(pki|auth)\/|hubs\/src\/bundle\/seal\.ts$|sites\/src\/secrets\/)/

export const portsOnly: Check = {
  name: 'time and randomness through ports',
  run: project =>
    sourcesOf(project)
      .filter(path => path.startsWith('packages/') && !path.startsWith('packages/ports/') && !isTest(path))
      .flatMap(path => problemsOf(path, project.read(path))),
}

function problemsOf(path: string, source: string): string[] {
  const code = codeOf(source)
  const rules = secretMakers.test(path) ? timeRules : [...timeRules, secretRule]
  const calls = rules.flatMap(({ pattern, instead }) =>
    [...code.matchAll(pattern)].map(found => `${path}:${lineAt(code, found.index)}: ${found[0].trim()}: ${instead}`),
  )
  const timers = importsOf(source)
    .filter(({ specifier }) => /^(node:)?timers(\/|$)/.test(specifier))
    .map(({ specifier, line }) => `${path}:${line}: ${specifier}: ${clock}`)
  return [...calls, ...timers]
}
