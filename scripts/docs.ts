// npm run docs [-- --check]: makes the generated sections of docs/*.md anew; with --check only says which are stale.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { generators } from './docs/generators.ts'
import { regenerate } from './docs/sections.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const problems: string[] = []
const seen = new Set<string>()

for (const path of [...globSync('docs/**/*.md', { cwd: root }), 'README.md'].sort()) {
  try {
    const page = await regenerate(readFileSync(`${root}${path}`, 'utf8'), generators)
    for (const name of page.names) seen.add(name)
    if (page.stale.length === 0) continue
    if (values.check) problems.push(`${path}: ${page.stale.join(', ')}: stale, run npm run docs`)
    else {
      writeFileSync(`${root}${path}`, page.text)
      console.log(`docs: ${path}: made anew: ${page.stale.join(', ')}`)
    }
  } catch (error) {
    problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
for (const name of Object.keys(generators).filter(name => !seen.has(name)))
  problems.push(`scripts/docs/generators.ts: no page has a section ${name}`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
