/**
 * What the whole server can do on this machine, next to its targets: 10,000 custom resources of 1 KB, 16 clients, the
 * load in this process and the server in one of its own. Prints figures; judges nothing but in words.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as realSleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  CLIENTS,
  fanOut,
  fill,
  gets,
  listAtOnce,
  listInPages,
  objectBytes,
  type Rate,
  statusPatches,
} from './whole/load.ts'
import { type Row, type Target, table } from './whole/report.ts'
import { ServerProcess } from './whole/server-process.ts'
import { OBJECTS } from './whole/widgets.ts'

const help = `npm run bench -- kube-server [OPTIONS]

  --runs N        repeat everything, show the median, the lowest and the highest (default 1)
  --seconds N     length of each load (default 3)
  --watchers N    watches open during the fan-out (default 100)
  --folder PATH   where the durable server keeps its folder: picks the disk (default: the system's temporary folder)
  --v8 FLAG       option for the server's node, instead of --v8=--max-semi-space-size=8; may come several times
  --profile PATH  write a CPU profile of each load there`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    watchers: { type: 'string', default: '100' },
    folder: { type: 'string', default: tmpdir() },
    // What the README advises where memory is scarce: Node's own choice depends on the machine.
    v8: { type: 'string', multiple: true, default: ['--max-semi-space-size=8'] },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const watchers = Number(values.watchers)
const v8Flags = values.v8
const MIB = 2 ** 20
/** Launches differ more than anything else. */
const LAUNCHES = 5
const LISTS = 10
/** A server is compiled while it runs: the first second of a load says little. */
const WARM_UP_SECONDS = 1

const atLeast = (value: number): Target => ({ value, wanted: 'at least' })
const atMost = (value: number): Target => ({ value, wanted: 'at most' })

/** Rows in the order of their first mention; a figure for each run. */
class Figures {
  readonly #rows = new Map<string, Row & { figures: number[] }>()

  add(
    what: string,
    unit: string,
    figure: number,
    more: { readonly target?: Target; readonly note?: string } = {},
  ): void {
    const row = this.#rows.get(what) ?? { what, unit, figures: [], ...more }
    row.figures.push(figure)
    this.#rows.set(what, row)
    process.stderr.write('.')
  }

  /** The rate, and what each one cost the server: on a shared machine the cost is the figure to trust. */
  addRate(
    what: string,
    { perSecond, count }: Rate,
    cpuMs: number,
    more: { readonly target?: Target; readonly note?: string } = {},
  ): void {
    const cpuMicros = (cpuMs * 1000) / count
    this.add(what, '/s', perSecond, more)
    this.add(`${what}: server's processor time`, 'µs', cpuMicros)
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()]
  }
}

/** Runs one load with fresh counters, and writes its profile when asked to. */
async function measured<T>(server: ServerProcess, name: string, load: () => Promise<T>) {
  if (values.profile !== undefined) await server.startProfile()
  await server.resetFigures()
  const result = await load()
  const { longestBlockMs, cpuMs } = await server.figures()
  if (values.profile !== undefined) await server.endProfile(join(values.profile, `${name}.cpuprofile`))
  return { result, longestBlockMs, cpuMs }
}

async function launches(figures: Figures): Promise<void> {
  for (let launch = 0; launch < LAUNCHES; launch++) {
    const server = await ServerProcess.start(v8Flags)
    figures.add('start, from nothing to answering', 'ms', server.launchMs, { target: atMost(300) })
    figures.add('  of it inside KubeServer.start', 'ms', server.ready.startMs)
    await server.stop()
  }
}

async function inMemory(figures: Figures): Promise<void> {
  const server = await ServerProcess.start(v8Flags)
  const { port } = server
  const created = await measured(server, 'memory-create', () => fill(port))
  figures.addRate('in memory: creates', created.result, created.cpuMs)
  await statusPatches(port, WARM_UP_SECONDS)
  const patches = await measured(server, 'memory-status', () => statusPatches(port, seconds))
  figures.addRate('in memory: status merge patches', patches.result, patches.cpuMs, { target: atLeast(8000) })
  await gets(port, WARM_UP_SECONDS)
  const got = await measured(server, 'memory-get', () => gets(port, seconds))
  figures.addRate('in memory: gets', got.result, got.cpuMs, { target: atLeast(10_000) })
  await lists(figures, server)
  const fan = await measured(server, 'fan-out', () => fanOut(port, seconds, watchers))
  figures.addRate(`watch events to ${watchers} watchers`, fan.result.events, fan.cpuMs, { target: atLeast(100_000) })
  figures.add('  writes meanwhile', '/s', fan.result.writes.perSecond)
  await memory(figures, 'in memory: RSS after all this', server)
  await server.stop()
}

async function lists(figures: Figures, server: ServerProcess): Promise<void> {
  const { port } = server
  const idle = await measured(server, 'idle', () => realSleep(1000))
  const paged = await measured(server, 'list-pages', () => listInPages(port, LISTS))
  figures.add(`list of ${OBJECTS} in pages of 500`, 'ms', paged.result)
  figures.add('  longest block of the loop', 'ms', paged.longestBlockMs, { target: atMost(20) })
  figures.add('  the same while idle: the machine itself', 'ms', idle.longestBlockMs)
  const whole = await measured(server, 'list-whole', () => listAtOnce(port, LISTS))
  figures.add(`list of ${OBJECTS} at once`, 'ms', whole.result)
  figures.add('  its longest block of the loop', 'ms', whole.longestBlockMs)
}

async function memory(figures: Figures, what: string, server: ServerProcess): Promise<void> {
  const { rssBytes, heapBytes } = await server.figures()
  const note = `heap ${Math.round(heapBytes / MIB)} MB`
  figures.add(what, 'MB', rssBytes / MIB, { target: atMost(250), note })
}

async function durable(figures: Figures, folder: string): Promise<void> {
  const server = await ServerProcess.start(v8Flags, folder)
  const { port } = server
  const created = await measured(server, 'durable-create', () => fill(port))
  figures.addRate('durable: creates', created.result, created.cpuMs)
  await statusPatches(port, WARM_UP_SECONDS)
  const patches = await measured(server, 'durable-status', () => statusPatches(port, seconds))
  const wanted = { target: atLeast(3000), note: 'stretch: 4,500' }
  figures.addRate('durable: status merge patches', patches.result, patches.cpuMs, wanted)
  figures.add('  longest block of the loop, with its commits', 'ms', patches.longestBlockMs)
  await memory(figures, 'durable: RSS after all this', server)
  await server.stop()
  const again = await ServerProcess.start(v8Flags, folder)
  figures.add(`open a folder of ${OBJECTS} objects`, 'ms', again.ready.startMs, { target: atMost(1000) })
  figures.add('  with the start of the process', 'ms', again.launchMs)
  figures.add('size of one object', 'bytes', await objectBytes(again.port))
  await again.stop()
}

async function run(): Promise<void> {
  if (values.profile !== undefined) mkdirSync(values.profile, { recursive: true })
  const figures = new Figures()
  const loads: string[] = []
  for (let round = 0; round < Number(values.runs); round++) {
    const folder = mkdtempSync(join(values.folder, 'kube-server-bench-'))
    loads.push((loadavg()[0] ?? 0).toFixed(1))
    await launches(figures)
    await inMemory(figures)
    await durable(figures, folder)
    rmSync(folder, { recursive: true, force: true })
  }
  process.stderr.write('\n')
  console.log(table(figures.rows))
  console.log(
    `\n${OBJECTS} objects, ${CLIENTS} clients, ${seconds} s a load, node ${process.version} ${v8Flags.join(' ')}, ` +
      `${availableParallelism()} cores, load average before: ${loads.join(', ')}`,
  )
}

if (values.help) console.log(help)
else await run()
