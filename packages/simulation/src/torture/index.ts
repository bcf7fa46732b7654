export { type DrivenWorld, letTimePass, settle } from './let-time-pass.ts'
export { Party, type PartyOptions, type ProcessPorts } from './party.ts'
export type { CrashTime } from './process-transport.ts'
