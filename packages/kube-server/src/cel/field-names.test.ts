import assert from 'node:assert/strict'
import { it } from 'node:test'
import { escapedName } from './field-names.ts'

for (const [name, escaped] of [
  ['plain', 'plain'],
  ['_x1', '_x1'],
  ['namespace', '__namespace__'],
  ['in', '__in__'],
  ['true', '__true__'],
  ['null', '__null__'],
  ['int', 'int'],
  ['self', 'self'],
  ['a.b', 'a__dot__b'],
  ['a-b', 'a__dash__b'],
  ['a/b', 'a__slash__b'],
  ['a__b', 'a__underscores__b'],
  ['a___b', 'a__underscores___b'],
  ['.hidden', '__dot__hidden'],
  ['a.b/c-d__e', 'a__dot__b__slash__c__dash__d__underscores__e'],
] as const)
  it(`Rules name the field ${name} as ${escaped}`, () => assert.equal(escapedName(name), escaped))

for (const name of ['', '1a', 'a b', 'é', 'a$', 'a:b'])
  it(`Rules cannot name the field ${JSON.stringify(name)}`, () => assert.equal(escapedName(name), undefined))
