/** What no tracked text may say: a clone must mean the same on every machine. */
import type { Check, Project } from './project.ts'

const isText = /\.(ts|tsx|js|mjs|json|md|ya?ml|html|css|txt|sh|sql|toml)$|(^|\/)(\.[a-z]+|run|LICENSE|Dockerfile)$/

const rules: readonly [RegExp, string][] = [
  [/(?<![\w.)-])\/(?:work|farm)\/[a-z.]/, 'a path of one machine'],
  [/\.\.\/shared\b/, 'a folder that a clone does not have'],
  [/registry\.(?:npmjs|yarnpkg|npmmirror)|npm\.pkg\.github/i, 'a package registry'],
]
const lockRule: readonly [RegExp, string] = [/"resolved":\s*"https?:/, 'a download address in the lock file']

export const textRules: Check = {
  name: 'no text that fits one machine only',
  run: project => project.files.filter(path => isText.test(path)).flatMap(path => problemsOf(project, path)),
}

function problemsOf(project: Project, path: string): string[] {
  const applied = path.endsWith('package-lock.json') ? [...rules, lockRule] : rules
  return project
    .read(path)
    .split('\n')
    .flatMap((line, index) =>
      applied.filter(([pattern]) => pattern.test(line)).map(([, what]) => `${path}:${index + 1}: ${what}`),
    )
}
