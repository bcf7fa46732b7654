import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Terminal } from '@godwit/core'
import type { RehomePorts } from './ports.ts'
import { lookAtPeer } from './scene.ts'

test('a peer whose password cannot be opened is one that nobody can read, as one that does not answer', async () => {
  const peerSite: RehomePorts['peerSite'] = () => {
    throw new Terminal('SecretsKey', 'manager_password was sealed with another key')
  }
  assert.deepEqual(await lookAtPeer({ peerSite }, { id: 1 }, 'r1'), { kind: 'unread' })
})
