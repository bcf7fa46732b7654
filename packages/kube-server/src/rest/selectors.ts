/** Label and field selectors. Parsing throws 400; matching is a plain function, cheap enough for every watch event. */

import { labelValueProblem, qualifiedNameProblem } from '../api/names.ts'
import type { JsonObject, KubeObject } from '../api/object.ts'
import { badRequest, type StatusError } from '../api/status-error.ts'

export type Matches = (object: KubeObject) => boolean

interface Requirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'
  readonly values: readonly string[]
}

const word = String.raw`[^\s,()=!<>]+`
const requirementForms: readonly [RegExp, (match: RegExpMatchArray) => Requirement][] = [
  [
    new RegExp(`^(${word})\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
    ([, key = '', operator, list = '']) => ({
      key,
      operator: operator === 'in' ? 'in' : 'notin',
      values: list.split(',').map(value => value.trim()),
    }),
  ],
  [
    new RegExp(`^(${word})\\s*(?:==|=)\\s*(${word})?$`),
    ([, key = '', value = '']) => ({ key, operator: 'in', values: [value] }),
  ],
  [
    new RegExp(`^(${word})\\s*!=\\s*(${word})?$`),
    ([, key = '', value = '']) => ({ key, operator: 'notin', values: [value] }),
  ],
  [
    new RegExp(`^(${word})\\s*([<>])\\s*(${word})$`),
    ([, key = '', sign, value = '']) => ({
      key,
      operator: sign === '>' ? 'gt' : 'lt',
      values: [value],
    }),
  ],
  [new RegExp(`^!\\s*(${word})$`), ([, key = '']) => ({ key, operator: 'absent', values: [] })],
  [new RegExp(`^(${word})$`), ([, key = '']) => ({ key, operator: 'exists', values: [] })],
]

/** Undefined when the selector is empty, that is, everything matches. */
export function parseLabelSelector(text: string): Matches | undefined {
  if (text.trim() === '') return undefined
  const requirements = splitTerms(text).map(parseRequirement)
  return object => {
    const labels = object.metadata.labels
    return requirements.every(requirement => holds(requirement, labels))
  }
}

/** Splits at commas outside parentheses. */
function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === ',' && depth === 0) {
      terms.push(text.slice(start, i).trim())
      start = i + 1
    }
  }
  return [...terms, text.slice(start).trim()]
}

function parseRequirement(term: string): Requirement {
  for (const [form, make] of requirementForms) {
    const match = term.match(form)
    if (match) return checked(make(match), term)
  }
  throw badRequest(`unable to parse requirement: found '${term}', expected: a label requirement`)
}

function checked(requirement: Requirement, term: string): Requirement {
  const problem = qualifiedNameProblem(requirement.key)
  if (problem)
    throw badRequest(
      `unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(requirement.key)}: ${problem}`,
    )
  const ordered = requirement.operator === 'gt' || requirement.operator === 'lt'
  for (const value of requirement.values) {
    if (ordered && !/^-?\d+$/.test(value))
      throw badRequest(
        `unable to parse requirement: values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      )
    const bad = labelValueProblem(value)
    if (bad)
      throw badRequest(
        `unable to parse requirement: values[0][${requirement.key}]: Invalid value: ${JSON.stringify(value)}: ${bad}`,
      )
  }
  if (term === '') throw badRequest('unable to parse requirement: found empty term')
  return requirement
}

function holds({ key, operator, values }: Requirement, labels: { [key: string]: string } | undefined): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value)
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    default: {
      if (value === undefined || !/^-?\d+$/.test(value)) return false
      const difference = Number(value) - Number(values[0])
      return operator === 'gt' ? difference > 0 : difference < 0
    }
  }
}

/** Reads one field of an object for a field selector. */
export type FieldReader = (object: KubeObject) => string
export type FieldReaders = ReadonlyMap<string, FieldReader>

export interface FieldTerm {
  readonly field: string
  readonly value: string
  readonly negated: boolean
}

export function parseFieldTerms(text: string): FieldTerm[] {
  return splitEscaped(text).map(term => {
    const match = term.match(/^((?:[^=!\\]|\\.)+)(!=|==|=)(.*)$/s)
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, field = '', operator, value = ''] = match
    return { field, value: value.replaceAll(/\\([,=\\])/g, '$1'), negated: operator === '!=' }
  })
}

function splitEscaped(text: string): string[] {
  return [...text.matchAll(/(?:[^,\\]|\\.)+/gs)].map(([term]) => term)
}

/** Undefined when empty. Throws 400 for a field that the resource does not offer. */
export function parseFieldSelector(text: string, readers: FieldReaders): Matches | undefined {
  const terms = parseFieldTerms(text)
  if (terms.length === 0) return undefined
  const tests = terms.map(({ field, value, negated }) => {
    const read = readers.get(field)
    if (!read) throw unsupportedField(field)
    return (object: KubeObject) => (read(object) === value) !== negated
  })
  return object => tests.every(test => test(object))
}

const unsupportedField = (field: string): StatusError => badRequest(`field label not supported: ${field}`)

/** Reads `a.b.c` as a string; the empty string when absent, as field selectors see it. */
export function fieldAt(path: string): FieldReader {
  const parts = path.split('.').filter(part => part !== '')
  return object => {
    let value: unknown = object
    for (const part of parts) {
      if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return ''
      value = (value as JsonObject)[part]
    }
    return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
  }
}

export const metadataFields: FieldReaders = new Map([
  ['metadata.name', (object: KubeObject) => object.metadata.name],
  ['metadata.namespace', (object: KubeObject) => object.metadata.namespace ?? ''],
])

/** The name that a field selector pins down, if any: lets a watch or list skip everything else. */
export function selectedName(text: string): string | undefined {
  if (!text.includes('metadata.name')) return undefined
  return parseFieldTerms(text).find(term => term.field === 'metadata.name' && !term.negated)?.value
}
