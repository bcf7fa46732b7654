import type { Clock } from '@godwit/ports'
import type { WatchResponse, WatchSink } from '../http/message.ts'
import { eventLine } from '../rest/event-lines.ts'
import { expired } from '../rest/versions.ts'
import type { FaultEffect } from './fault.ts'

type WatchEffect = Extract<FaultEffect, { kind: 'end-watch' | 'stall-watch' | 'delay-watch' }>

export const isWatchEffect = (effect: FaultEffect): effect is WatchEffect => effect.kind.endsWith('-watch')

/** The same watch, disturbed. */
export function disturbed(response: WatchResponse, effect: WatchEffect, clock: Clock): WatchResponse {
  return {
    ...response,
    open(sink) {
      const stop = response.open(disturbedSink(sink, effect, clock))
      // Once it has begun, so that whoever opened it knows how to stop it.
      if (effect.kind === 'end-watch' && effect.afterEvents === 0) finish(sink, effect.how)
      return stop
    },
  }
}

function disturbedSink(sink: WatchSink, effect: WatchEffect, clock: Clock): WatchSink {
  if (effect.kind === 'delay-watch') return late(sink, effect.delayMs, clock)
  let left = effect.afterEvents
  const rest: WatchSink = { ...bound(sink), write: () => undefined }
  return {
    ...rest,
    write(line) {
      if (left > 0) {
        left--
        sink.write(line)
        if (left === 0 && effect.kind === 'end-watch') finish(sink, effect.how)
      }
    },
  }
}

function finish(sink: WatchSink, how: 'end' | 'cut' | 'expire'): void {
  if (how === 'cut') {
    sink.destroy()
    return
  }
  if (how === 'expire') sink.write(eventLine('ERROR', JSON.stringify(expired('too old resource version').toStatus())))
  sink.end()
}

/** Timers of one clock fire in order, so delayed lines keep theirs. */
function late(sink: WatchSink, delayMs: number, clock: Clock): WatchSink {
  return {
    ...bound(sink),
    write: line => void clock.after(delayMs, () => sink.write(line)),
    end: () => void clock.after(delayMs, () => sink.end()),
  }
}

const bound = (sink: WatchSink): WatchSink => ({
  write: line => sink.write(line),
  buffered: () => sink.buffered(),
  onDrain: run => sink.onDrain(run),
  end: () => sink.end(),
  destroy: () => sink.destroy(),
})
