/** `godwit kube`: a durable Kubernetes API server in one process, for a laptop or a small hub. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { jsonLogger } from '@godwit/engine'
import { KubeServer, type KubeServerOptions, parseUsers, type StaticUser } from '@godwit/kube-server'
import { Command, InvalidArgumentError, Option } from 'commander'
import { untilStopped } from './until-stopped.ts'

interface KubeOptions {
  readonly dir: string
  readonly host: string
  readonly port: number
  readonly tls?: boolean
  readonly open?: boolean
  readonly users?: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

const defaultPort = 6443

export function kubeCommand(): Command {
  return new Command('kube')
    .description('run a Kubernetes-compatible API server that keeps its objects in a folder')
    .requiredOption('--dir <folder>', 'where objects, keys and kubeconfigs are kept; made when missing')
    .option('--port <number>', 'port to listen on, 0 for any free one', port, defaultPort)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(new Option('--tls', 'https with tokens, client certificates and RBAC (the default)').conflicts('open'))
    .addOption(new Option('--open', 'plain http, and everybody may do everything').conflicts('users'))
    .option('--users <file>', 'more users than admin: a YAML or JSON list of {name, token, groups}')
    .option('--log-level <level>', 'debug, info, warn or error', 'warn')
    .action((options: KubeOptions) => serve(options))
}

function port(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number
  throw new InvalidArgumentError('give a number from 0 to 65535')
}

async function serve(options: KubeOptions): Promise<void> {
  // Before anything is started or said: whoever reads the welcome may stop us at once.
  const stopped = untilStopped()
  const users = options.users === undefined ? [] : parseUsers(readFileSync(options.users, 'utf8'))
  // Objects, keys and tokens are nobody else's business.
  process.umask(0o077)
  const folder = resolve(options.dir)
  mkdirSync(folder, { recursive: true })
  const server = await KubeServer.start(serverOptions(options, folder, users))
  const files = ['admin', ...users.map(user => user.name)].map(name => writeKubeconfig(server, folder, name))
  console.log(welcome(server.url, folder, files))
  if (!stopped.aborted) await new Promise<void>(done => stopped.addEventListener('abort', () => done(), { once: true }))
  await server.stop()
  console.log('Stopped. Nothing acknowledged is lost; start again with the same --dir to go on.')
}

function serverOptions(options: KubeOptions, folder: string, users: readonly StaticUser[]): KubeServerOptions {
  return {
    storage: { folder },
    port: options.port,
    host: options.host,
    logger: jsonLogger({ component: 'kube-server', level: options.logLevel }),
    ...(options.open ? { tls: false, auth: 'open' } : { tls: true, auth: { users } }),
  }
}

/** Only the owner may read it: it holds a token. */
function writeKubeconfig(server: KubeServer, folder: string, user: string): string {
  const file = join(folder, `${user.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.kubeconfig`)
  writeFileSync(file, server.kubeconfig(user))
  // An older file keeps its own mode.
  chmodSync(file, 0o600)
  return file
}

function welcome(url: string, folder: string, files: readonly string[]): string {
  const [admin = '', ...others] = files
  return [
    `Kubernetes API at ${url}, kept in ${folder}`,
    '',
    `  export KUBECONFIG=${admin}`,
    '  kubectl get namespaces',
    ...(others.length > 0 ? ['', 'Other users:', ...others.map(file => `  ${file}`)] : []),
    '',
    'Ctrl-C stops it.',
  ].join('\n')
}
