import type { KlusterletState, Label } from './state.ts'

/** Server of the hub that the agent is connected to or bootstraps with. */
export function hubOf(state: KlusterletState): string | undefined {
  const { process } = state
  if (process.at === 'connected') return state.credential?.server
  if (process.at === 'bootstrapping') return state.secrets[process.secret]?.server
  return undefined
}

/** The state's name in the specification's diagram. */
export function labelOf(state: KlusterletState): Label {
  const { process, config, origin } = state
  const isAtOrigin = hubOf(state) === origin
  switch (process.at) {
    case 'removed':
      return 'removed'
    case 'down':
      return process.crashes > 0 ? 'CL' : 'RS'
    case 'selecting':
      return 'RS'
    case 'bootstrapping':
      if (isAtOrigin) return 'B0'
      return config.multipleHubs ? 'B1' : 'B2'
    case 'connected':
      if (process.cluster?.hubAcceptsClient === false) return 'SX'
      if (config.multipleHubs) return isAtOrigin ? 'S2' : 'T1'
      return isAtOrigin ? 'S1' : 'T2'
  }
}
