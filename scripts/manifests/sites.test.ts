import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { siteConfigSchema } from '@godwit/sites'
import { parse, parseAllDocuments } from 'yaml'
import { sitesManifests } from './sites.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('what lies in deploy/sites is what the source says, and nothing else lies there', () => {
  const made = sitesManifests()
  assert.deepEqual(globSync('deploy/sites/*/*.*', { cwd: root }).sort(), Object.keys(made).sort())
  for (const [path, text] of Object.entries(made))
    assert.equal(readFileSync(`${root}${path}`, 'utf8'), text, `${path} is stale: run node scripts/manifests.ts`)
})

test('a site takes the configurations that are shipped', () => {
  const made = sitesManifests()
  const [configMap] = parseAllDocuments(made['deploy/sites/kubernetes/statefulset.yaml'] ?? '')
  const inCluster = String(configMap?.getIn(['data', 'site.yaml']))
  for (const text of [inCluster, made['deploy/sites/systemd/site.yaml']]) {
    const { success, error } = siteConfigSchema.safeParse(parse(text ?? ''))
    assert.ok(success, String(error))
  }
})
