import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, packageNameOf } from './imports.ts'

const specifiers = (source: string) => importsOf(source).map(found => found.specifier)

test('every form of import is found', () => {
  const source = `
    import a from 'a'
    import type { B } from "b"
    import 'c'
    export * from 'd'
    export { e } from './e.ts'
    const f = await import('f')
    const g = require("g")
    type H = import('h').H
    import.meta.resolve('i')`
  assert.deepEqual(specifiers(source), ['a', 'b', 'c', 'd', './e.ts', 'f', 'g', 'h', 'i'])
})

test('imports in comments and strings do not count', () => {
  assert.deepEqual(specifiers(`// import 'a'\nconst text = "import x from 'b'"\n/* from 'c' */`), [])
})

test('the line of an import is known', () => {
  assert.deepEqual(importsOf(`import {\n  a,\n} from 'b'`), [{ specifier: 'b', line: 3 }])
})

test('calls that only look like imports do not count', () => {
  assert.deepEqual(specifiers(`Array.from('abc'); resolveAll('x'); important('y'); promise.resolve('z')`), [])
})

test('the package of a deep import is its first part, or two of a scope', () => {
  assert.deepEqual(['yaml', 'yaml/x', '@godwit/core', '@godwit/core/deep'].map(packageNameOf), [
    'yaml',
    'yaml',
    '@godwit/core',
    '@godwit/core',
  ])
})
