/** Structured logging as a port. Fields come first, the message is a constant sentence without values in it. */
export type Fields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(fields: Fields, message: string): void
  info(fields: Fields, message: string): void
  warn(fields: Fields, message: string): void
  error(fields: Fields, message: string): void
}

const ignore = () => undefined

/** Drops everything. */
export const silentLogger: Logger = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore })
