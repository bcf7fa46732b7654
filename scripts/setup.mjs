// Installs what the lock file names, once, and makes sure that whatever runs next runs on the pinned Node.
// Plain JavaScript on purpose: this is the only file that an older Node on the host ever executes.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}node_modules/.godwit-setup`
const [hostMajor] = process.versions.node.split('.').map(Number)
if (hostMajor < 20) fail(`Node ${process.versions.node} is too old to install with: Node 20 or newer is needed.`)
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex')
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''

if (installed !== wanted) {
  console.error('setup: installing the exact versions of package-lock.json …')
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (npm.status !== 0) fail('npm ci failed, see above.')
  writeFileSync(stamp, wanted)
}

const pinned = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).optionalDependencies[
  `node-linux-${process.arch}`
]
const probe = spawnSync('node', ['--version'], { cwd: root, encoding: 'utf8' })
const found = probe.stdout?.trim().slice(1) ?? 'none'
if (Number(found.split('.')[0]) < 24)
  fail(
    `\`node\` on PATH is ${found}, but Godwit needs Node 24 (${pinned ?? 'no pinned build for this platform'}). ` +
      'Use `npm run …`, which puts the pinned Node first on PATH, or install Node 24 yourself.',
  )

function fail(message) {
  console.error(`setup: ${message}`)
  process.exit(1)
}
