import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TIMEOUT } from '@godwit/core'
import { describeErrorCodes, ERROR_CODES } from './error-codes.ts'

const source = fileURLToPath(new URL('..', import.meta.url))

/** Codes as they are given: to `fails`, to `Terminal`, or as constants that hold one. */
function usedCodes(): Set<string> {
  const paths = globSync('**/*.ts', { cwd: source }).filter(path => !path.endsWith('.test.ts'))
  const texts = paths.map(path => readFileSync(`${source}${path}`, 'utf8'))
  const given = texts.flatMap(text => [...text.matchAll(/(?:\bfails|new Terminal)\(\s*'(\w+)'/g)])
  const constants = texts.flatMap(text => [
    ...text.matchAll(/const (?:CANCELLED|NOT_STARTED|CREDENTIAL_IN_USE|TOO_LARGE) = '(\w+)'/g),
  ])
  return new Set([TIMEOUT, ...[...given, ...constants].flatMap(([, code]) => code ?? [])])
}

test('the reference has every code that is used, and no other', () => {
  assert.deepEqual(Object.keys(ERROR_CODES).sort(), [...usedCodes()].sort())
  for (const code of usedCodes()) assert.ok(describeErrorCodes().includes(`| \`${code}\` |`))
})
