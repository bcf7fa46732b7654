/** Bootstrap and install values as they come in files, and as they are kept for a rehome. Pure. */
import { parse } from 'yaml'
import { Refusal } from '../http/refusal.ts'
import type { Json } from './rows.ts'

export const ADDRESS = 'bootstrap-address'
/** Given anew with each migration, and kept nowhere. */
const NOT_KEPT: readonly string[] = ['sysadmin_password', 'ansible_ssh_pass', 'ansible_become_pass']
const MANDATORY: readonly string[] = [
  'name',
  'system_mode',
  'management_subnet',
  'management_start_address',
  'management_end_address',
  'systemcontroller_gateway_address',
  'external_oam_subnet',
  'external_oam_gateway_address',
  'external_oam_floating_address',
]
const MANDATORY_TO_INSTALL: readonly string[] = [
  'bootstrap_interface',
  'bootstrap_address',
  'bootstrap_address_prefix',
  'bmc_address',
  'bmc_username',
  'bmc_password',
]
const MAX_ALIASES = 100

/** Errors name the part and no line of it: it may hold a password. @throws Refusal 400 when it is no YAML mapping */
export function yamlMapping(part: string, content: string): Json {
  const value = parsed(content)
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    throw new Refusal(400, `Invalid ${part}: it has to be a YAML mapping`)
  return value as Json
}

function parsed(content: string): unknown {
  try {
    // Only what JSON has too: the values are stored as such.
    return JSON.parse(JSON.stringify(parse(content, { maxAliasCount: MAX_ALIASES, logLevel: 'error' }) ?? null))
  } catch {
    return undefined
  }
}

/** @throws Refusal 400 naming what is missing */
export function checkComplete(values: Json): void {
  const gateway = values['admin_subnet'] === undefined ? ['management_gateway_address'] : []
  const missing = [...MANDATORY, ...gateway].filter(name => values[name] === undefined || values[name] === '')
  if (missing.length > 0) throw new Refusal(400, `Missing in bootstrap_values: ${missing.join(', ')}`)
}

/** @throws Refusal 400 naming what is missing */
export function checkInstallable(values: Json): void {
  const missing = MANDATORY_TO_INSTALL.filter(name => values[name] === undefined || values[name] === '')
  if (missing.length > 0) throw new Refusal(400, `Missing in install_values: ${missing.join(', ')}`)
}

/**
 * What is kept for a rehome.
 * @param isEncoded its `admin_password` is base64 already, as the other site keeps it
 */
export function keptPayload(values: Json, bootstrapAddress: string | undefined, isEncoded: boolean): Json {
  const kept = Object.fromEntries(Object.entries(values).filter(([name]) => !NOT_KEPT.includes(name)))
  const password = kept['admin_password']
  const encoded =
    typeof password === 'string' && !isEncoded ? { admin_password: Buffer.from(password).toString('base64') } : {}
  return { ...kept, ...encoded, ...(bootstrapAddress !== undefined && { [ADDRESS]: bootstrapAddress }) }
}
