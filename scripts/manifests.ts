// node scripts/manifests.ts [--check]: makes deploy anew from the CRDs and the rules in the source; with --check only
// says which files are stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hubsManifests } from './manifests/hubs.ts'
import { nodesManifests } from './manifests/nodes.ts'
import { sitesManifests } from './manifests/sites.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
let isStale = false

for (const [path, text] of Object.entries({ ...hubsManifests(), ...nodesManifests(), ...sitesManifests() })) {
  const file = `${root}${path}`
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  isStale = true
  if (values.check) console.error(`${path}: stale, run node scripts/manifests.ts`)
  else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.log(`manifests: ${path}: made anew`)
  }
}
process.exitCode = values.check && isStale ? 1 : 0
