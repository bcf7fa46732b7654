import { writeFileSync } from 'node:fs'
import { loadConfig, newKeyText } from '@godwit/sites'
import { Command, Option } from 'commander'
import { serveSite } from './sites-process.ts'
import { type StatusOptions, showSiteStatus } from './sites-status.ts'

export function sitesCommand(): Command {
  const sites = new Command('sites').description('keep subclouds in the hands of whichever of two sites is alive')
  sites
    .command('serve')
    .description('run one replica of a site: its API, its workers, health and metrics')
    .requiredOption('--config <file>', 'configuration of the site, YAML or JSON')
    .action((options: { readonly config: string }) => serveSite(options.config))
  sites
    .command('check')
    .description('read a configuration and the files that it names; nothing is started')
    .requiredOption('--config <file>', 'configuration of the site, YAML or JSON')
    .action(({ config }: { readonly config: string }) => {
      loadConfig(config)
      console.log(`${config} is complete`)
    })
  sites
    .command('key')
    .description('make a key that seals passwords in the database; an existing file is never written over')
    .requiredOption('--out <file>', 'where to write it, readable by its owner only')
    .action(({ out }: { readonly out: string }) => writeFileSync(out, newKeyText(), { mode: 0o600, flag: 'wx' }))
  sites
    .command('status')
    .description('show peers, groups, operations under way and alarms of a site')
    .addOption(new Option('--auth-url <url>', 'keystone of the site, as http://HOST:8119/v3').env('OS_AUTH_URL'))
    .addOption(new Option('--username <name>', 'who asks').env('OS_USERNAME'))
    .addOption(new Option('--password <password>', 'better given as OS_PASSWORD').env('OS_PASSWORD').hideHelp())
    .option('--json', 'for programs')
    .action((options: StatusOptions) => showSiteStatus(options))
  return sites
}
