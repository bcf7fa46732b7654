/** What this controller gives to a subcloud that it takes in, from a file that an operator or another program keeps. */
import { readFile } from 'node:fs/promises'
import { Terminal } from '@godwit/core'
import { parse } from 'yaml'
import type { ControllerCredentials } from '../executor/ansible-executor.ts'

const MISSING = 'ControllerValues'

/**
 * Read anew for each attempt, so that a changed password or authority counts at once.
 * @param path YAML: members that are the same for all, and below `subclouds`, by name, those of one
 */
export const controllerValues = (path: string): ControllerCredentials => ({
  overridesFor: async ({ name }) => {
    const { subclouds, ...shared } = asMap(await parsed(path), path)
    const own = subclouds === undefined ? undefined : asMap(subclouds, path)[name]
    return { ...shared, ...(own !== undefined && asMap(own, path)) }
  },
})

async function parsed(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'))
  } catch (error) {
    // The message of a parser quotes the file, which holds secrets.
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'it is not YAML'
    throw new Terminal(MISSING, `cannot read the values of this controller from ${path}: ${reason}`)
  }
}

function asMap(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new Terminal(MISSING, `${path} is no map of values by name`)
}
