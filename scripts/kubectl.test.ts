import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findKubectls } from './kubectl.ts'

test('binaries are listed by version, oldest first, by number and not by text', () => {
  const paths = ['/sdk/kubectl.1.33', '/cache/debian-1.20/kubectl', '/sdk/kubectl.1.9']
  assert.deepEqual(findKubectls(paths), [
    { version: '1.9', path: '/sdk/kubectl.1.9' },
    { version: '1.20', path: '/cache/debian-1.20/kubectl' },
    { version: '1.33', path: '/sdk/kubectl.1.33' },
  ])
})

test('a binary whose path tells no version is left out', () => {
  assert.deepEqual(findKubectls(['/usr/bin/kubectl', '/sdk/kubectl.1.30.old']), [])
})
