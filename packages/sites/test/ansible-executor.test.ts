/** The real executor with a playbook that only writes down what it was given. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Terminal } from '@godwit/core'
import { systemClock } from '@godwit/ports'
import { PlaybookRunner } from '../src/ansible/playbook-runner.ts'
import { AnsibleExecutor, type ControllerCredentials } from '../src/executor/ansible-executor.ts'
import { attempt } from './attempt.ts'

const credentials: ControllerCredentials = {
  overridesFor: async () => ({ admin_password: 'of-the-new-home', users: { fm: 'fm-password' }, sc_ca_key: 'KEY KEY' }),
}
const network = {
  managementSubnet: '10.8.0.0/24',
  managementPool: { start: '10.8.0.2', end: '10.8.0.50' },
  managementAddress: '10.8.0.2',
  oamSubnet: '10.9.0.0/24',
  oamAddress: '10.9.0.2',
}
const signals = { cancel: new AbortController().signal, leave: new AbortController().signal }

function setUp(t: TestContext, script: string, given: Partial<ControllerCredentials> = {}) {
  const home = mkdtempSync(join(tmpdir(), 'godwit-executor-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const program = join(home, 'playbook.sh')
  writeFileSync(program, `#!/bin/sh\nrun=$PWD; cd ${home}\n${script}\n`)
  chmodSync(program, 0o755)
  writeFileSync(join(home, 'rehome_subcloud.yml'), '')
  const base = join(home, 'runs')
  const totalLimitMs = 60_000
  const runner = new PlaybookRunner({ base, clock: systemClock, totalLimitMs })
  const shared = { runner, network, program, playbooksDir: home, host: 'h', totalLimitMs }
  return { home, base, executor: new AnsibleExecutor({ ...shared, credentials: { ...credentials, ...given } }) }
}

test('the playbook is given the values, and the credentials of this site over those of the old home', async t => {
  const { home, base, executor } = setUp(t, 'cp $run/inventory.yml $run/s1.yml .; echo "$@" > args')
  await executor.prepare(attempt)
  assert.equal(existsSync(base), false, 'nothing is written before the run')
  assert.deepEqual(await executor.run(attempt, signals), { kind: 'succeeded' })
  const overrides = JSON.parse(readFileSync(join(home, 's1.yml'), 'utf8'))
  assert.deepEqual(
    [overrides.admin_password, overrides.system_mode, overrides.users.fm, overrides.ansible_ssh_pass],
    ['of-the-new-home', 'simplex', 'fm-password', 'sysadmin-pw'],
  )
  assert.equal(overrides.system_controller_floating_address, '10.8.0.2')
  assert.match(readFileSync(join(home, 'inventory.yml'), 'utf8'), /"ansible_host": "10\.0\.0\.1"/)
  assert.match(readFileSync(join(home, 'args'), 'utf8'), /--limit s1 .*install_release_version=24\.09/)
  await executor.discard('run-1')
  assert.deepEqual(readdirSync(base), [])
})

test('no secret is read in the reason of a failure', async t => {
  const { executor } = setUp(t, "cat $run/s1.yml | tr -d '\\n' | sed 's/^/fatal: [s1]: /'; echo; exit 2")
  const outcome = await executor.run(attempt, signals)
  assert.ok(outcome?.kind === 'failed')
  assert.match(outcome.text, /simplex/)
  for (const secret of ['sysadmin-pw', 'of-the-new-home', 'fm-password', 'KEY KEY'])
    assert.equal(outcome.text.includes(secret), false, secret)
})

test('what cannot work is said before the subcloud is touched', async t => {
  const { home, executor } = setUp(t, 'exit 0')
  await assert.rejects(executor.prepare({ ...attempt, name: '-x' }), { code: 'NameRefused' })
  const { executor: without } = setUp(t, 'exit 0', {
    overridesFor: () => Promise.reject(new Terminal('CredentialsMissing', 'no certificate authority')),
  })
  await assert.rejects(without.prepare(attempt), { code: 'CredentialsMissing' })
  rmSync(join(home, 'rehome_subcloud.yml'))
  await assert.rejects(executor.prepare(attempt), { code: 'PlaybookMissing' })
})
