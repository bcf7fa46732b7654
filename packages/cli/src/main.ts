import { Command } from 'commander'

/** Each in a file of its own, loaded only when it is asked for: a short-lived command starts fast. */
const subcommands: Readonly<Record<string, () => Promise<Command>>> = {
  hubs: async () => (await import('./hubs-command.ts')).hubsCommand(),
  nodes: async () => (await import('./nodes-command.ts')).nodesCommand(),
  sites: async () => (await import('./sites-command.ts')).sitesCommand(),
  kube: async () => (await import('./kube-command.ts')).kubeCommand(),
}

const asked = subcommands[process.argv[2] ?? '']
const program = new Command('godwit').description('moves things that must not be lost on the way')
for (const load of asked ? [asked] : Object.values(subcommands)) program.addCommand(await load())
try {
  await program.parseAsync()
} catch (error) {
  console.error(`godwit: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
