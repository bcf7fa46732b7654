import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_KILLS } from './hubs/kill-plan.ts'
import { parseDemoOptions } from './options.ts'

const commandOf = (...args: string[]) => {
  const parsed = parseDemoOptions(args)
  assert.equal(parsed.kind, 'run', JSON.stringify(parsed))
  return parsed.kind === 'run' ? parsed.command : undefined
}
const errorOf = (...args: string[]) => {
  const parsed = parseDemoOptions(args)
  assert.equal(parsed.kind, 'error', JSON.stringify(parsed))
  return parsed.kind === 'error' ? parsed.text : ''
}

test('without arguments 300 clusters move and each process is killed once', () => {
  const usual = { domain: 'hubs', items: 300, kills: DEFAULT_KILLS, isJson: false, keep: false }
  assert.deepEqual(commandOf(), usual)
  assert.deepEqual(commandOf('hubs'), usual)
})

test('every option is taken', () => {
  assert.deepEqual(
    commandOf(
      'hubs',
      '--items',
      '60',
      '--kill',
      'source@Cleaning',
      '--kill',
      'controller@deploying',
      '--json',
      '--keep',
    ),
    {
      domain: 'hubs',
      items: 60,
      kills: [
        { who: 'source', stage: 'Cleaning' },
        { who: 'controller', stage: 'Deploying' },
      ],
      isJson: true,
      keep: true,
    },
  )
  assert.deepEqual(commandOf('--no-kill')?.kills, [])
})

test('numbers that cannot be moved are refused with the range', () => {
  for (const items of ['0', '-1', '1.5', 'many', '', '5001', '1e3'])
    assert.match(errorOf(`--items=${items}`), /--items .*: one migration moves 1 to 5000 clusters; give/, items)
})

test('kills that cannot be are refused with what there is', () => {
  assert.match(errorOf('--kill', 'source'), /the form is WHO@STAGE/)
  assert.match(errorOf('--kill', 'source@Deploying@x'), /the form is WHO@STAGE/)
  assert.match(errorOf('--kill', 'hub@Deploying'), /no process hub; choose controller, source, target/)
  assert.match(errorOf('--kill', 'source@Completed'), /no migration passes a stage Completed; choose .*Registering/)
  assert.match(errorOf('--kill', 'source@Deploying', '--no-kill'), /contradict/)
})

test('unknown words and options are refused, with the way to the help', () => {
  assert.match(errorOf('sites'), /no demo called sites; choose hubs or nodes\nSee npm run demo -- --help/)
  assert.match(errorOf('hubs', 'hubs'), /only one demo/)
  assert.match(errorOf('--speed'), /--speed/)
})

test('the help names every option, process and stage', () => {
  const parsed = parseDemoOptions(['--help'])
  assert.equal(parsed.kind, 'help')
  for (const word of ['--items', '--kill', '--no-kill', '--json', '--keep', 'controller', 'Registering', '5000'])
    assert.ok(parsed.kind === 'help' && parsed.text.includes(word), word)
})
