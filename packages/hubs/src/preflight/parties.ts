/** What each party asks about: the very rules that the shipped manifests grant. */
import type { KubeClient } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import { ocm, provisioning } from '../api/index.ts'
import { agentRulesOnGlobalHub, agentRulesOnHub, controllerRules } from '../rbac.ts'
import { type Lacking, sayLacking } from './permission.ts'
import { Preflight } from './preflight.ts'

/** @returns what the party lacks, as a sentence; undefined: nothing */
export type AskLacking = () => Promise<string | undefined>

type Grant = Omit<Lacking, 'missing'>

const asking = (preflight: Preflight, grant: Grant): AskLacking => {
  return async () => {
    const missing = await preflight.missing()
    return missing.length === 0 ? undefined : sayLacking({ ...grant, missing })
  }
}

export function controllerPreflight(client: KubeClient, clock: Clock): AskLacking {
  const grant = {
    party: 'controller',
    server: 'the global hub',
    grantedBy: 'ClusterRole godwit-hubs-controller (deploy/hubs/controller)',
  }
  return asking(new Preflight({ client, clock, rules: controllerRules }), grant)
}

/** Kinds of add-ons that a hub may do without. */
const OPTIONAL = [...Object.values(provisioning), ocm.observabilityAddons, ocm.klusterletAddonConfigs]

export interface AgentClients {
  readonly hubName: string
  readonly hub: KubeClient
  readonly globalHub: KubeClient
  readonly clock: Clock
}

export function agentPreflight({ hubName, hub, globalHub, clock }: AgentClients): AskLacking {
  const party = `agent of hub ${hubName}`
  const onHub = asking(new Preflight({ client: hub, clock, rules: agentRulesOnHub, optional: OPTIONAL }), {
    party,
    server: `hub ${hubName}`,
    grantedBy: 'ClusterRole godwit-hubs-agent (deploy/hubs/agent)',
  })
  const onGlobalHub = asking(
    new Preflight({ client: globalHub, clock, rules: agentRulesOnGlobalHub, namespace: hubName }),
    {
      party,
      server: 'the global hub',
      grantedBy: `Role godwit-hubs-agent in namespace ${hubName} (deploy/hubs/hub-access)`,
    },
  )
  return async () => {
    const lacking = (await Promise.all([onHub(), onGlobalHub()])).filter(text => text !== undefined)
    return lacking.length === 0 ? undefined : lacking.join('; ')
  }
}
