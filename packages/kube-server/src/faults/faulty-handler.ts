/** Stands before the resource handler and lets the switched-on faults strike. */
import { type Clock, sleep } from '@godwit/ports'
import { StatusError } from '../api/status-error.ts'
import { type ApiResponse, plainText } from '../http/message.ts'
import type { FaultEffect, FaultSubject } from './fault.ts'
import type { FaultSwitch } from './fault-switch.ts'
import { disturbed, isWatchEffect } from './faulty-watch.ts'

/** Does what was asked; with `staleBy` reads show an older state. */
export type Perform = (staleBy: number) => Promise<ApiResponse | undefined>

export async function withFaults(
  faults: FaultSwitch,
  clock: Clock,
  subject: FaultSubject,
  perform: Perform,
): Promise<ApiResponse | undefined> {
  const effects = faults.strike(subject)
  for (const effect of effects) if (effect.kind === 'delay') await sleep(clock, effect.delayMs)
  const replacing = effects.find(isReplacing)
  if (replacing && !replacing.applied) return replacement(replacing)
  const stale = effects.find(effect => effect.kind === 'stale')
  const response = await perform(stale?.versions ?? 0)
  if (replacing) return replacement(replacing)
  if (response?.kind !== 'watch') return response
  return effects.filter(isWatchEffect).reduce((watch, effect) => disturbed(watch, effect, clock), response)
}

type Replacing = Extract<FaultEffect, { kind: 'status' | 'silence' | 'cut' }>

const isReplacing = (effect: FaultEffect): effect is Replacing =>
  effect.kind === 'status' || effect.kind === 'silence' || effect.kind === 'cut'

function replacement(effect: Replacing): ApiResponse {
  if (effect.kind !== 'status') return { kind: effect.kind }
  const { code, retryAfterSeconds } = effect
  if (code === 429) {
    // Priority and fairness answers in plain text.
    const answer = plainText(429, 'Too many requests, please try again later.\n')
    return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds ?? 1) } }
  }
  throw new StatusError(code, reasons[code], `injected fault: ${reasons[code]}`, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

const reasons = {
  401: 'Unauthorized',
  403: 'Forbidden',
  409: 'Conflict',
  500: 'InternalError',
  502: 'ServiceUnavailable',
  503: 'ServiceUnavailable',
  504: 'Timeout',
} as const
