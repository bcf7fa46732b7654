import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from './failure-text.ts'

test('the failed task and the last failure before the recap are told', () => {
  const output = `
PLAY [all] *****************

TASK [common/validate : Check the release] ************
ok: [subcloud1]

TASK [rehome/network : Add route] ************
fatal: [subcloud1]: FAILED! => {"changed": false,
    "msg": "no such device"}

NO MORE HOSTS LEFT ****

PLAY RECAP ****
subcloud1 : ok=1 changed=0 unreachable=0 failed=1
fatal: [not part of it]
`
  assert.deepEqual(failureOf(output), {
    task: 'rehome/network : Add route',
    text: 'fatal: [subcloud1]: FAILED! => {"changed": false,\n    "msg": "no such device"}',
  })
})

test('an error before any task, and output that says nothing, are told as far as they go', () => {
  assert.deepEqual(failureOf('ERROR! the playbook: rehome.yml could not be found'), {
    task: undefined,
    text: 'ERROR! the playbook: rehome.yml could not be found',
  })
  assert.deepEqual(failureOf('all is well\n'), { task: undefined, text: '' })
})

test('a host that cannot be reached is a failure of the task that tried', () => {
  const { task, text } = failureOf('TASK [x] ***\nfatal: [s1]: UNREACHABLE! => {"msg": "timed out"}\n')
  assert.equal(task, 'x')
  assert.match(text, /timed out/)
})

test('a long failure is shortened', () => {
  assert.equal(failureOf(`fatal: [${'x'.repeat(5000)}`).text.length, 1000)
})
