import type { Fields, Logger } from '@godwit/ports'
import { type DestinationStream, pino } from 'pino'

export interface JsonLoggerOptions {
  /** Goes into every line as `component`. */
  readonly component: string
  readonly level?: 'debug' | 'info' | 'warn' | 'error'
  /** Default: standard output, written synchronously so that a kill loses no line. */
  readonly destination?: DestinationStream
}

/** One JSON object a line: `level` as a word, `time` in RFC 3339, `component`, the fields, `msg`. */
export function jsonLogger({ component, level = 'info', destination }: JsonLoggerOptions): Logger {
  const log = pino(
    {
      level,
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  )
  return {
    debug: (fields: Fields, message: string) => log.debug(fields, message),
    info: (fields: Fields, message: string) => log.info(fields, message),
    warn: (fields: Fields, message: string) => log.warn(fields, message),
    error: (fields: Fields, message: string) => log.error(fields, message),
  }
}
