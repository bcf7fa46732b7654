import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '@godwit/ports'
import { SshRegionReader } from './ssh-region-reader.ts'

const subcloud = { bootstrapAddress: '10.0.0.1', sysadminPassword: "pass'word" }

function setUp(t: TestContext, script: string, timeoutMs = 20_000) {
  const home = mkdtempSync(join(tmpdir(), 'godwit-region-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const program = join(home, 'sshpass')
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  return { home, reader: new SshRegionReader({ clock: systemClock, program, timeoutMs }) }
}

test('the region is read with the password in the environment, and not among the arguments', async t => {
  const { home, reader } = setUp(
    t,
    'echo "$SSHPASS" > "$0.pass"; echo "$@" > "$0.args"; echo motd; echo export OS_REGION_NAME=abc123',
  )
  assert.equal(await reader.regionOf(subcloud), 'abc123')
  assert.equal(readFileSync(join(home, 'sshpass.pass'), 'utf8'), "pass'word\n")
  const given = readFileSync(join(home, 'sshpass.args'), 'utf8')
  assert.match(given, /^-e ssh .*sysadmin@10\.0\.0\.1 grep/)
  assert.equal(given.includes('word'), false)
})

test('a subcloud that cannot be reached, or does not say its region, is an error without the password', async t => {
  const refused = setUp(t, 'exit 5').reader.regionOf(subcloud)
  await assert.rejects(refused, /^Error: ssh to 10\.0\.0\.1 ended with 5$/)
  for (const output of ['', 'echo export OS_REGION_NAME=', "echo 'export OS_REGION_NAME=a;b'"])
    await assert.rejects(setUp(t, output || 'true').reader.regionOf(subcloud), /does not say its region/)
  const missing = new SshRegionReader({ clock: systemClock, program: '/nowhere/sshpass' })
  await assert.rejects(missing.regionOf(subcloud), /cannot be run/)
})

test('a subcloud that does not answer is given up', async t => {
  await assert.rejects(setUp(t, 'exec sleep 60', 100).reader.regionOf(subcloud), /SIGKILL/)
})
