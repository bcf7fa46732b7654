// npm run bench -- [NAME] [ARGUMENTS…]: figures of one package, or of one part of it. Prints, never judges by exit code.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `kube-server` for packages/kube-server/bench/main.ts, `kube-server/store` for the file store.ts beside it. */
function programOf(name: string): string {
  const [folder = '', file = 'main'] = name.split('/')
  return join(root, 'packages', folder, 'bench', `${file}.ts`)
}

/** Programs that can be run by name: main ones first, then those for a part alone. Modules they share are left out. */
function names(): string[] {
  const files = globSync('packages/*/bench/*.ts', { cwd: root }).sort()
  const parts = files.map(path => /^packages\/([^/]+)\/bench\/([^/]+)\.ts$/.exec(path)?.slice(1) ?? [])
  const mains = parts.filter(([, file]) => file === 'main').map(([folder]) => `${folder}`)
  return [...mains, ...parts.filter(([, file]) => file !== 'main').map(([folder, file]) => `${folder}/${file}`)]
}

const [name = '--help', ...forwarded] = process.argv.slice(2)
const isName = /^[a-z0-9-]+(\/[a-z0-9-]+)?$/.test(name) && !name.startsWith('-')
if (isName && existsSync(programOf(name))) {
  process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache/compiled')
  process.exitCode = spawnSync(process.execPath, [programOf(name), ...forwarded], { stdio: 'inherit' }).status ?? 1
} else {
  const isQuestion = name === '--help'
  if (!isQuestion) console.error(`bench: there is no ${name}`)
  console.log(
    `npm run bench -- NAME [ARGUMENTS…]\n\n${names()
      .map(each => `  ${each}\n`)
      .join('')}`,
  )
  process.exitCode = isQuestion ? 0 : 2
}
