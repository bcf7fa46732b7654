/** Parts of timestamps in any time zone, and conversions of times and durations. */
import type { Duration } from '@marcbachmann/cel-js/evaluator'
import type { Registrar } from '../registrar.ts'
import { RuleError } from '../rule-error.ts'
import { durationText, timestampText } from './time-text.ts'

const timestamp = 'google.protobuf.Timestamp'
const duration = 'google.protobuf.Duration'
/** The zone data base is slow to ask. */
const zoneCost = 500
const dayMs = 86_400_000

export function registerTime({ add, replace, meter }: Registrar): void {
  const parts: readonly [string, (local: Date) => number][] = [
    ['getFullYear', local => local.getUTCFullYear()],
    ['getMonth', local => local.getUTCMonth()],
    ['getDate', local => local.getUTCDate()],
    ['getDayOfMonth', local => local.getUTCDate() - 1],
    ['getDayOfWeek', local => local.getUTCDay()],
    ['getDayOfYear', local => Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / dayMs)],
    ['getHours', local => local.getUTCHours()],
    ['getMinutes', local => local.getUTCMinutes()],
    ['getSeconds', local => local.getUTCSeconds()],
    ['getMilliseconds', local => local.getUTCMilliseconds()],
  ]
  for (const [name, part] of parts) {
    replace(`${timestamp}.${name}(): int`, (time: Date) => BigInt(part(time)))
    replace(`${timestamp}.${name}(string): int`, (time: Date, zone: string) => {
      meter.charge(zoneCost)
      return BigInt(part(inZone(time, zone)))
    })
  }
  replace(`${duration}.getHours(): int`, (one: Duration) => one.getHours())
  replace(`${duration}.getMinutes(): int`, (one: Duration) => one.getMinutes())
  replace(`${duration}.getSeconds(): int`, (one: Duration) => one.getSeconds())
  replace(`${duration}.getMilliseconds(): int`, (one: Duration) => one.getMilliseconds())
  add(`string(${timestamp}): string`, timestampText)
  add(`int(${timestamp}): int`, (time: Date) => BigInt(Math.floor(time.getTime() / 1000)))
  add(`timestamp(${timestamp}): ${timestamp}`, (time: Date) => time)
  add(`string(${duration}): string`, (one: Duration) => durationText(one))
  add(`duration(${duration}): ${duration}`, (one: Duration) => one)
}

/** A date whose UTC members read as the local time of the zone. */
function inZone(time: Date, zone: string): Date {
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  if (fixed) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return new Date(time.getTime() + (fixed[1] === '-' ? -minutes : minutes) * 60_000)
  }
  if (zone === '' || zone === 'UTC') return time
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    const offset = format.formatToParts(time).find(part => part.type === 'timeZoneName')?.value ?? 'GMT'
    const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(offset) ?? []
    const shift = (Number(hours) * 60 + Number(minutes)) * 60_000
    return new Date(time.getTime() + (sign === '-' ? -shift : shift))
  } catch (error) {
    if (error instanceof RangeError) throw new RuleError(`unknown time zone ${zone}`)
    throw error
  }
}
