import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { inventoryOf, overridesOf } from './inventory.ts'

const system = {
  subnet: '10.8.0.0/24',
  floatingAddress: '10.8.0.2',
  oamSubnet: '10.9.0.0/24',
  oamFloatingAddress: '10.9.0.2',
}
const unsafe = { tag: '!unsafe', resolve: (text: string) => text }
const read = (text: string) => parse(text, { customTags: [unsafe] })

test('the inventory has one host under its payload name, with the address to reach it', () =>
  assert.deepEqual(read(inventoryOf({ name: 'subcloud1', bootstrapAddress: '10.10.10.12' })), {
    all: {
      vars: {
        ansible_ssh_user: 'sysadmin',
        ansible_ssh_extra_args: '-o UserKnownHostsFile=/dev/null',
        ansible_python_interpreter: '/usr/bin/python3',
        initial_deployment: false,
      },
      hosts: { subcloud1: { ansible_host: '10.10.10.12' } },
    },
  }))

test('the overrides carry the payload, without what is for others, and the password under the names of the playbook', () => {
  const payload = {
    name: 'subcloud1',
    system_mode: 'simplex',
    deploy_config: 'x',
    install_values: {},
    sysadmin_password: 'p',
    users: { fm: 'f' },
  }
  assert.deepEqual(read(overridesOf({ payload, system, sysadminPassword: 's' })), {
    region_config: 'yes',
    distributed_cloud_role: 'subcloud',
    system_controller_subnet: '10.8.0.0/24',
    system_controller_floating_address: '10.8.0.2',
    system_controller_oam_subnet: '10.9.0.0/24',
    system_controller_oam_floating_address: '10.9.0.2',
    name: 'subcloud1',
    system_mode: 'simplex',
    users: { fm: 'f' },
    ansible_ssh_pass: 's',
    ansible_become_pass: 's',
  })
})

test('whatever a value holds, it is read back as it was', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('{', '}', '%', '"', "'", ':', '#', '\n', '\u0085', '\u2028'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  })
  fc.assert(
    fc.property(text, fc.jsonValue(), (password, value) => {
      const payload = { value: JSON.parse(JSON.stringify(value)), text: password }
      const seen = read(overridesOf({ payload, system, sysadminPassword: password }))
      assert.deepEqual([seen.ansible_ssh_pass, seen.text], [password, password])
      assert.deepEqual(JSON.parse(JSON.stringify(seen.value)), JSON.parse(JSON.stringify(payload.value)))
    }),
  )
})

test('what Jinja would evaluate is marked as not to be', () => {
  for (const password of ['{{ lookup("pipe", "id") }}', '{% x %}', 'a{#b'])
    assert.match(overridesOf({ payload: {}, system, sysadminPassword: password }), /"ansible_ssh_pass": !unsafe "/)
})
