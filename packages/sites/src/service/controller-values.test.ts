import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { controllerValues } from './controller-values.ts'

function fileOf(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-values-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'values.yaml')
  writeFileSync(path, content)
  return path
}

test('a subcloud is given what all are given, and its own over it; a change counts at once', async t => {
  const path = fileOf(t, 'admin_password: one\nsc_ca_cert: shared\nsubclouds: { s1: { sc_ca_cert: own } }\n')
  const values = controllerValues(path)
  const of = (name: string) => values.overridesFor({ name, region: 'r' })
  assert.deepEqual(await of('s1'), { admin_password: 'one', sc_ca_cert: 'own' })
  assert.deepEqual(await of('s2'), { admin_password: 'one', sc_ca_cert: 'shared' })
  writeFileSync(path, 'admin_password: two\n')
  assert.deepEqual(await of('s1'), { admin_password: 'two' })
})

test('a file that is missing or no map is told without a word of what is in it', async t => {
  const of = (path: string) => controllerValues(path).overridesFor({ name: 's1', region: 'r' })
  await assert.rejects(of('/nowhere/values.yaml'), { code: 'ControllerValues', message: /ENOENT/ })
  for (const content of ['TopSecret', 'a: [TopSecret', 'subclouds: TopSecret'])
    await assert.rejects(
      of(fileOf(t, content)),
      (error: Error) => /values/.test(error.message) && !/TopSecret/.test(error.message),
    )
})
