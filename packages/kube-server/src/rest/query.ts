import { badRequest, type Cause, invalid, StatusError } from '../api/status-error.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** Options of a write, checked. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
  /** As given in the query; empty when absent. */
  readonly fieldManager: string
  readonly force: boolean | undefined
}

/** Go's reading of a boolean query parameter: present and neither "false" nor "0". */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value.toLowerCase() !== 'false' && value !== '0'
}

const noQuery = new URLSearchParams()

/** Splits a URL into path and query without the cost of a URL object. */
export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?')
  if (mark < 0) return { path: url, query: noQuery }
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}

export function optionsError(kind: string, causes: readonly Cause[]): StatusError {
  return invalid({ group: 'meta.k8s.io', plural: '', kind, name: '' }, causes)
}

export const notSupported = (field: string, value: string, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map(s => JSON.stringify(s)).join(', ')}`,
  field,
})

const fieldValidations: readonly string[] = ['Ignore', 'Warn', 'Strict']
const maxManagerLength = 128

const writeKinds = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' } as const

/** Throws 422 for values outside the documented ones. */
export function writeOptions(query: URLSearchParams, verb: keyof typeof writeKinds): WriteOptions {
  const causes: Cause[] = []
  const dryRun = dryRunOf(query.getAll('dryRun'), causes)
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (!fieldValidations.includes(fieldValidation))
    causes.push(notSupported('fieldValidation', fieldValidation, fieldValidations))
  const fieldManager = query.get('fieldManager') ?? ''
  if (fieldManager.length > maxManagerLength)
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${maxManagerLength} bytes`,
      field: 'fieldManager',
    })
  if (/[^\p{L}\p{N}\p{P}\p{S}\p{M} ]/u.test(fieldManager))
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(fieldManager)}: should only contain printable characters`,
      field: 'fieldManager',
    })
  if (causes.length > 0) throw optionsError(writeKinds[verb], causes)
  return {
    dryRun,
    fieldValidation: fieldValidation === 'Strict' || fieldValidation === 'Ignore' ? fieldValidation : 'Warn',
    fieldManager,
    force: query.has('force') ? flag(query, 'force') : undefined,
  }
}

/** `dryRun=All` or nothing. */
export function dryRunOf(values: readonly string[], causes: Cause[]): boolean {
  for (const value of values) if (value !== 'All' && value !== '') causes.push(notSupported('dryRun', value, ['All']))
  return values.includes('All')
}

/** Options of list and watch, still uninterpreted where meaning depends on the resource. */
export interface ListOptions {
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly limit: number | undefined
  readonly continue: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly timeoutSeconds: number | undefined
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

export function listOptions(query: URLSearchParams): ListOptions {
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: wholeNumber(query, 'limit'),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
    allowWatchBookmarks: flag(query, 'allowWatchBookmarks'),
    sendInitialEvents: query.has('sendInitialEvents') ? flag(query, 'sendInitialEvents') : undefined,
  }
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d{1,18}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** The number in a resourceVersion parameter; undefined when unset. 500 for anything else, as the real server has it. */
export function versionNumber(text: string): number | undefined {
  if (text === '') return undefined
  if (!/^\d{1,15}$/.test(text))
    throw new StatusError(
      500,
      'InternalError',
      `Internal error occurred: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  return Number(text)
}
