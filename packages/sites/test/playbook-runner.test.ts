import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '@godwit/ports'
import { findAnsiblePlaybook } from '../../../scripts/ansible.ts'
import { inventoryOf, overridesOf } from '../src/ansible/inventory.ts'
import { PlaybookRunner, type RehomeRun } from '../src/ansible/playbook-runner.ts'
import { RunFolder } from '../src/ansible/run-folder.ts'

const SECRET = 'St8rlingX*{{ 1 }}'
const system = {
  subnet: '10.8.0.0/24',
  floatingAddress: '10.8.0.2',
  oamSubnet: '10.9.0.0/24',
  oamFloatingAddress: '10.9.0.2',
}
const never = new AbortController().signal

interface Given {
  /** Shell text in place of ansible-playbook. */
  readonly script?: string
  readonly program?: string
  readonly payload?: Record<string, unknown>
  readonly totalLimitMs?: number
  readonly clock?: Clock
}

function setUp(
  t: TestContext,
  { script = '', program, payload = {}, totalLimitMs = 60_000, clock = systemClock }: Given,
) {
  const home = mkdtempSync(join(tmpdir(), 'godwit-playbook-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const stub = join(home, 'playbook.sh')
  writeFileSync(stub, `#!/bin/sh\ncd ${home}\n${script}\n`)
  chmodSync(stub, 0o755)
  const base = join(home, 'runs')
  const run: RehomeRun = {
    runId: 'run-1',
    command: {
      program: program ?? stub,
      playbooksDir: fileURLToPath(new URL('./playbooks', import.meta.url)),
      name: 'subcloud1',
      softwareVersion: '24.09',
      region: 'r1',
      connectTimeoutS: 5,
    },
    inventory: inventoryOf({ name: 'subcloud1', bootstrapAddress: '127.0.0.1' }),
    overrides: overridesOf({ payload: { report: join(home, 'report'), ...payload }, system, sysadminPassword: SECRET }),
    secrets: [SECRET],
  }
  const runner = () => new PlaybookRunner({ base, clock, totalLimitMs })
  return { home, base, run, runner, file: (name: string) => join(home, name) }
}

const until = async (holds: () => boolean) => {
  const deadlineAt = systemClock.now() + 20_000
  while (!holds()) {
    assert.ok(systemClock.now() < deadlineAt, 'not in time')
    await new Promise<void>(resolve => systemClock.after(20, resolve))
  }
}

test('a run that succeeds leaves nothing but that behind, and its files were for its owner only', async t => {
  const { base, run, runner, file } = setUp(t, { script: 'stat -c "%a %n" runs/run-1 runs/run-1/*.yml > modes' })
  assert.deepEqual(await runner().run(run, never), { kind: 'succeeded' })
  assert.deepEqual(readdirSync(join(base, 'run-1')), ['outcome.json', 'started'])
  assert.equal(
    readFileSync(file('modes'), 'utf8'),
    '700 runs/run-1\n600 runs/run-1/inventory.yml\n600 runs/run-1/subcloud1.yml\n',
  )
  await runner().discard('run-1')
  assert.deepEqual(readdirSync(base), [])
})

test('how a run ended is told again until it is discarded, without another run', async t => {
  const { run, runner, file } = setUp(t, {
    script: `echo x >> starts; echo 'TASK [t] ***'; echo 'fatal: [s]: ${SECRET}'; exit 2`,
  })
  const first = await runner().run(run, never)
  assert.deepEqual(await runner().run(run, never), first)
  assert.equal(JSON.stringify(first).includes(SECRET), false)
  assert.equal(readFileSync(file('starts'), 'utf8'), 'x\n')
  await runner().discard('run-1')
  await runner().run(run, never)
  assert.equal(readFileSync(file('starts'), 'utf8'), 'x\nx\n')
})

test('who leaves a run lets it go on, and finds it again', async t => {
  const { run, runner, file } = setUp(t, { script: 'echo x >> starts; while [ ! -e go ]; do sleep 0.1; done' })
  const leave = new AbortController()
  const left = runner().run(run, never, leave.signal)
  await until(() => existsSync(file('starts')))
  leave.abort()
  assert.equal(await left, undefined)
  writeFileSync(file('go'), '')
  assert.deepEqual(await runner().run(run, never), { kind: 'succeeded' })
  assert.equal(readFileSync(file('starts'), 'utf8'), 'x\n')
})

test('a run that fails says at which task and why, without secrets', async t => {
  const { run, runner } = setUp(t, {
    script: `echo 'TASK [keystone] ***'; echo 'fatal: [subcloud1]: FAILED! password ${SECRET}'; exit 2`,
  })
  assert.deepEqual(await runner().run(run, never), {
    kind: 'failed',
    task: 'keystone',
    text: 'fatal: [subcloud1]: FAILED! password ******',
  })
})

test('who asks for a run that goes on already joins it: it is started once', async t => {
  const { run, runner, file } = setUp(t, { script: 'echo x >> starts; sleep 1' })
  const first = runner().run(run, never)
  await until(() => existsSync(file('starts')))
  const others = await Promise.all([runner().run(run, never), runner().run(run, never)])
  for (const outcome of [await first, ...others]) assert.deepEqual(outcome, { kind: 'succeeded' })
  assert.equal(readFileSync(file('starts'), 'utf8'), 'x\n')
})

test('a service that is killed with SIGKILL finds its run again and takes it to its end', async t => {
  const { run, runner, base, home, file } = setUp(t, {
    script: 'echo x >> starts; while [ ! -e go ]; do sleep 0.1; done',
  })
  const service = join(home, 'service.mjs')
  const module = new URL('../src/ansible/playbook-runner.ts', import.meta.url).href
  const ports = import.meta.resolve('@godwit/ports')
  writeFileSync(
    service,
    `import { PlaybookRunner } from '${module}'
     import { systemClock } from '${ports}'
     const runner = new PlaybookRunner({ base: ${JSON.stringify(base)}, clock: systemClock, totalLimitMs: 60000 })
     await runner.run(${JSON.stringify(run)}, new AbortController().signal)`,
  )
  const first = spawn(process.execPath, [service], { stdio: 'inherit' })
  await until(() => existsSync(file('starts')))
  first.kill('SIGKILL')
  const joined = runner().run(run, never)
  writeFileSync(file('go'), '')
  assert.deepEqual(await joined, { kind: 'succeeded' })
  assert.equal(readFileSync(file('starts'), 'utf8'), 'x\n')
  assert.deepEqual(readdirSync(join(base, 'run-1')), ['outcome.json', 'started'])
})

test('a run that takes too long is ended with everything it started', async t => {
  const { run, runner, file } = setUp(t, {
    script: "trap '' TERM; sleep 300 & echo $! > child; wait",
    totalLimitMs: 1_000,
  })
  const outcome = await runner().run(run, never)
  assert.deepEqual(outcome, { kind: 'interrupted', reason: 'the playbook took longer than 1 s' })
  const child = readFileSync(file('child'), 'utf8').trim()
  await until(() => !isRunning(child))
})

test('a run that is cancelled is ended', async t => {
  const { run, runner, file } = setUp(t, { script: 'echo $$ > child; exec sleep 300' })
  const cancel = new AbortController()
  const outcome = runner().run(run, cancel.signal)
  await until(() => existsSync(file('child')))
  cancel.abort()
  assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the run was cancelled' })
  await until(() => !isRunning(readFileSync(file('child'), 'utf8').trim()))
})

test('a program that is ended is given time to clean up, although the shell that led it is gone', async t => {
  const { run, runner, file } = setUp(t, {
    script: "trap 'sleep 0.5; echo x > cleaned; exit 1' TERM; echo x > begun; sleep 300 & wait",
  })
  const cancel = new AbortController()
  const outcome = runner().run(run, cancel.signal)
  await until(() => existsSync(file('begun')))
  cancel.abort()
  assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the run was cancelled' })
  assert.ok(existsSync(file('cleaned')))
})

test('what goes on after the leader of its group was killed is ended before anybody is told', async t => {
  const { run, runner, base, file } = setUp(t, { script: 'echo $$ > child; exec sleep 300' })
  const outcome = runner().run(run, never)
  await until(() => existsSync(file('child')) && readFileSync(file('child'), 'utf8').trim() !== '')
  const [leader = ''] = readFileSync(join(base, 'run-1/leader'), 'utf8').split(' ')
  process.kill(Number(leader), 'SIGKILL')
  assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the playbook was killed' })
  assert.equal(isRunning(readFileSync(file('child'), 'utf8').trim()), false)
})

test('a run that nobody watches any more ends soon after its limit', async t => {
  const { home, file } = setUp(t, { script: 'echo $$ > child; exec sleep 300' })
  const folder = join(home, 'left')
  mkdirSync(folder)
  writeFileSync(join(folder, 'asked-at'), '0')
  const words = ['-c', RunFolder.LAUNCHER, 'rehome', '1', file('playbook.sh')]
  spawn('/bin/sh', words, { cwd: folder, detached: true, stdio: 'ignore' }).unref()
  await until(() => existsSync(file('child')) && readFileSync(file('child'), 'utf8').trim() !== '')
  await until(() => !isRunning(readFileSync(file('child'), 'utf8').trim()))
})

test('a group that was given the pid of a run that is over is left alone', async t => {
  const { base, runner } = setUp(t, {})
  const stranger = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' })
  t.after(() => stranger.kill('SIGKILL'))
  mkdirSync(join(base, 'run-1'), { recursive: true })
  writeFileSync(join(base, 'run-1/leader'), `${stranger.pid} 1`)
  await runner().discard('run-1')
  assert.equal(existsSync(join(base, 'run-1')), false)
  assert.equal(stranger.exitCode ?? stranger.signalCode, null)
  assert.ok(isRunning(String(stranger.pid)))
})

test('a run that somebody killed is told as interrupted: what it changed is not known', async t => {
  const { run, runner, base, file } = setUp(t, { script: 'echo x > begun; sleep 300' })
  const outcome = runner().run(run, never)
  await until(() => existsSync(file('begun')))
  const [leader = ''] = readFileSync(join(base, 'run-1/leader'), 'utf8').split(' ')
  process.kill(-Number(leader), 'SIGKILL')
  assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the playbook was killed' })
})

test('a run that nobody wants any more is ended and forgotten', async t => {
  const { run, runner, base, file } = setUp(t, { script: 'echo $$ > child; exec sleep 300' })
  const outcome = runner().run(run, never)
  await until(() => existsSync(file('child')))
  await runner().discard('run-1')
  assert.equal((await outcome)?.kind, 'interrupted')
  assert.equal(existsSync(join(base, 'run-1')), false)
  await until(() => !isRunning(readFileSync(file('child'), 'utf8').trim()))
})

test('a run that was cancelled before it was asked for does not begin, and that is told again', async t => {
  const { base, run, runner, file } = setUp(t, { script: 'echo x > begun' })
  const outcome = { kind: 'interrupted', reason: 'the run was cancelled' }
  assert.deepEqual(await runner().run(run, AbortSignal.abort()), outcome)
  assert.deepEqual(await runner().run(run, never), outcome)
  assert.deepEqual(readdirSync(join(base, 'run-1')), ['outcome.json', 'refused'])
  assert.equal(existsSync(file('begun')), false)
})

test('who has left already starts nothing, and writes nothing', async t => {
  const { base, run, runner } = setUp(t, {})
  assert.equal(await runner().run(run, never, AbortSignal.abort()), undefined)
  assert.equal(existsSync(base), false)
  assert.deepEqual(await runner().run(run, never), { kind: 'succeeded' })
})

test('who leaves while the run is being prepared starts nothing: it is left to the next', async t => {
  const leave = new AbortController()
  // The clock is read for what is written into the folder.
  const now = () => {
    leave.abort()
    return systemClock.now()
  }
  const clock: Clock = { ...systemClock, now }
  const { home, run, runner, file } = setUp(t, { script: 'echo x > begun', clock })
  assert.equal(await runner().run(run, never, leave.signal), undefined)
  const program = join(home, 'next.sh')
  writeFileSync(program, `#!/bin/sh\necho x > ${file('next')}\n`, { mode: 0o755 })
  assert.deepEqual(await runner().run({ ...run, command: { ...run.command, program } }, never), { kind: 'succeeded' })
  assert.deepEqual([existsSync(file('begun')), existsSync(file('next'))], [false, true])
})

const HASTE = 40
/** Timers fire earlier. */
const hurried: Clock = { ...systemClock, after: (delayMs, run) => systemClock.after(delayMs / HASTE, run) }

/** A launcher waits when it comes to this program, until it is told to go on; by then it has told its pid. */
function holdLauncherAt(t: TestContext, home: string, program: string) {
  const path = process.env['PATH'] ?? ''
  const folder = join(home, 'held-programs')
  mkdirSync(folder)
  const wait = `echo $PPID > ${home}/.held; mv ${home}/.held ${home}/held; while [ -d ${home} ] && [ ! -e ${home}/go ]; do sleep 0.05; done`
  writeFileSync(join(folder, program), `#!/bin/sh\nPATH='${path}'\n${wait}\nexec ${program} "$@"\n`, { mode: 0o755 })
  process.env['PATH'] = `${folder}:${path}`
  t.after(() => {
    process.env['PATH'] = path
  })
  return {
    isHeld: () => until(() => existsSync(join(home, 'held'))),
    goOn: async () => {
      writeFileSync(join(home, 'go'), '')
      await until(() => !isRunning(readFileSync(join(home, 'held'), 'utf8').trim()))
    },
  }
}

// Before it has claimed the run; and after that, before it can be found by others.
for (const program of ['mkdir', 'mv']) {
  test(`a run that is cancelled while its launcher is at ${program} never begins`, async t => {
    const { home, run, runner, file } = setUp(t, { script: 'echo x > begun' })
    const launcher = holdLauncherAt(t, home, program)
    const cancel = new AbortController()
    const outcome = runner().run(run, cancel.signal)
    await launcher.isHeld()
    cancel.abort()
    assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the run was cancelled' })
    await launcher.goOn()
    assert.equal(existsSync(file('begun')), false)
  })

  test(`a run that is discarded while its launcher is at ${program} never begins`, async t => {
    const { home, run, runner, file } = setUp(t, { script: 'echo x > begun' })
    const launcher = holdLauncherAt(t, home, program)
    const leave = new AbortController()
    const left = runner().run(run, never, leave.signal)
    await launcher.isHeld()
    leave.abort()
    assert.equal(await left, undefined)
    await runner().discard('run-1')
    await launcher.goOn()
    assert.equal(existsSync(file('begun')), false)
  })

  test(`a run that did not start in time because its launcher is at ${program} does not begin later`, async t => {
    const { home, run, runner, file } = setUp(t, { script: 'echo x > begun', clock: hurried, totalLimitMs: 600_000 })
    const launcher = holdLauncherAt(t, home, program)
    const outcome = runner().run(run, never)
    await launcher.isHeld()
    assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the playbook did not start in time' })
    await launcher.goOn()
    assert.equal(existsSync(file('begun')), false)
  })
}

test('a launcher that comes while its folder is being removed finds no marks and does not begin', t => {
  const { home, file } = setUp(t, {})
  const folder = join(home, 'half-removed')
  mkdirSync(folder)
  const launch = () =>
    spawnSync('/bin/sh', ['-c', RunFolder.LAUNCHER, 'rehome', '60', 'touch', file('begun')], { cwd: folder })
  launch()
  assert.equal(existsSync(file('begun')), false)
  rmSync(join(folder, 'started'), { recursive: true })
  writeFileSync(join(folder, 'asked-at'), '0')
  launch()
  assert.ok(existsSync(file('begun')), 'it is what it was asked at that it missed')
})

test('a leader that does not end when it is asked to is killed, also by a clock that is set back again and again', async t => {
  let now = systemClock.now()
  // In haste only when it has begun: it must have its time to start.
  let haste = 1
  const clock: Clock = {
    now: () => (now -= 1_000),
    after: (delayMs, run) => systemClock.after(delayMs / haste, run),
  }
  const { run, runner, base, file } = setUp(t, { script: 'echo x > begun; exec sleep 300', clock })
  const cancel = new AbortController()
  const outcome = runner().run(run, cancel.signal)
  await until(() => existsSync(file('begun')))
  const [leader = ''] = readFileSync(join(base, 'run-1/leader'), 'utf8').split(' ')
  process.kill(Number(leader), 'SIGSTOP')
  haste = HASTE
  // Ends the test where the grace does not.
  t.after(() => isRunning(leader) && process.kill(-Number(leader), 'SIGKILL'))
  cancel.abort()
  await until(() => !isRunning(leader))
  assert.deepEqual(await outcome, { kind: 'interrupted', reason: 'the run was cancelled' })
})

test('a run id that is a path is refused', async t => {
  const { run, runner } = setUp(t, {})
  await assert.rejects(runner().run({ ...run, runId: '../other' }, never), /is no run id/)
})

const isRunning = (pid: string) => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const ansible = findAnsiblePlaybook()
if (ansible === undefined && process.env['CI'])
  throw new Error('no ansible-playbook: run node scripts/ansible.ts first')
if (ansible === undefined)
  console.log('LEFT OUT: the real ansible-playbook; make one available with node scripts/ansible.ts')

test('the real ansible-playbook reads inventory and overrides as they were meant, braces in a password included', async t => {
  if (ansible === undefined) return
  process.env['ANSIBLE_TRANSPORT'] = 'local'
  const { run, runner, file } = setUp(t, { program: ansible })
  assert.deepEqual(await runner().run(run, never), { kind: 'succeeded' })
  assert.deepEqual(JSON.parse(readFileSync(file('report'), 'utf8')), {
    password: SECRET,
    address: '127.0.0.1',
    region: 'r1',
  })
})

test('the real ansible-playbook tells at which task it failed', async t => {
  if (ansible === undefined) return
  process.env['ANSIBLE_TRANSPORT'] = 'local'
  const { run, runner, base } = setUp(t, { program: ansible, payload: { fails: true } })
  const outcome = await runner().run(run, never)
  assert.ok(outcome?.kind === 'failed', JSON.stringify(outcome))
  assert.equal(outcome.task, 'Change keystone data')
  assert.match(outcome.text, /^fatal: \[subcloud1\]: FAILED!/)
  assert.equal(outcome.text.includes(SECRET), false)
  assert.deepEqual(readdirSync(join(base, 'run-1')), ['outcome.json', 'started'])
})
