import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Tells people who holds a folder. The lock itself is the database's and dies with the process; this file may be
 * stale or missing and is never trusted for anything but a message.
 */
const HOLDER_FILE = 'store.holder'

/** Leaves no note when there is no room for one: a full disk must not keep a server from serving reads. */
export function writeHolder(folder: string, since: string): void {
  try {
    writeFileSync(join(folder, HOLDER_FILE), `process ${process.pid} since ${since}\n`)
  } catch {
    removeHolder(folder)
  }
}

/** A note that cannot be removed is stale from now on, which does no harm. */
export function removeHolder(folder: string): void {
  try {
    rmSync(join(folder, HOLDER_FILE), { force: true })
  } catch {
    return
  }
}

/** For instance `process 4711 since 2026-01-01T00:00:00Z`. */
export function describeHolder(folder: string): string {
  try {
    const text = readFileSync(join(folder, HOLDER_FILE), 'utf8').trim()
    return /^process \d+ since [\dTZ:-]+$/.test(text) ? text : 'another process'
  } catch {
    return 'another process'
  }
}
