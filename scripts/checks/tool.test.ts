import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTool } from './tool.ts'

const run = (script: string) => runTool({ name: 'sample', command: process.execPath, args: ['-e', script] }, '.')

test('a program that succeeds passes, whatever it prints', async () => {
  assert.deepEqual(await run('console.error("fine")'), { name: 'sample', problems: [] })
})

test('a program that fails gives its output from both channels and its status', async () => {
  const { problems } = await run('console.log("out"); console.error("err"); process.exitCode = 3')
  assert.deepEqual([...problems].sort(), [`${process.execPath} ended with status 3`, 'err', 'out'].sort())
})

test('a program that is missing fails', async () => {
  const { problems } = await runTool({ name: 'sample', command: './no-such-program', args: [] }, '.')
  assert.match(problems.join(), /did not start/)
})
