import assert from 'node:assert/strict'
import { test } from 'node:test'
import { argumentsOf, type RehomeCommand } from './command.ts'

const command: RehomeCommand = {
  program: 'ansible-playbook',
  playbooksDir: '/usr/share/ansible/stx-ansible/playbooks',
  name: 'subcloud1',
  softwareVersion: '24.09',
  region: '0af1e2',
  connectTimeoutS: 180,
}

test('the playbook is called as the reference calls it, limited to one host', () =>
  assert.deepEqual(argumentsOf(command, '/run/1'), [
    '/usr/share/ansible/stx-ansible/playbooks/rehome_subcloud.yml',
    '-i',
    '/run/1/inventory.yml',
    '--limit',
    'subcloud1',
    '--timeout',
    '180',
    '-e',
    'install_release_version=24.09',
    '-e',
    '{"override_files_dir":"/run/1","region_name":"0af1e2"}',
  ]))

test('a name that could be read as something else is refused', () => {
  for (const given of [
    { name: 'a b' },
    { name: '-x' },
    { name: '../x' },
    { region: '{{x}}' },
    { softwareVersion: "1' -e x=1" },
  ])
    assert.throws(() => argumentsOf({ ...command, ...given }, '/run/1'), /characters that a name may not have/)
})
