/** `format.named('dns1123Label')` and `format.dns1123Label()`: names and values that Kubernetes knows rules for. */
import { Optional } from '@marcbachmann/cel-js'
import {
  dns1035Problem,
  dnsLabelProblem,
  labelValueProblem,
  qualifiedNameProblem,
  subdomainProblem,
} from '../../api/names.ts'
import { formatCheck } from '../../schema/formats.ts'
import type { Registrar } from '../registrar.ts'

const typeName = 'kubernetes.NamedFormat'

type Problem = (text: string) => string | undefined

class NamedFormat {
  readonly name: string
  readonly problem: Problem

  constructor(name: string, problem: Problem) {
    this.name = name
    this.problem = problem
  }

  equals(other: unknown): boolean {
    return other instanceof NamedFormat && other.name === this.name
  }
}

/** A prefix is completed by generated characters: a hyphen at its end is fine. */
const asPrefix =
  (problem: Problem): Problem =>
  text =>
    problem(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -1)}a` : text)

const ofFormat =
  (format: string, complaint: string): Problem =>
  text =>
    formatCheck(format)?.(text) ? undefined : complaint

const problems: readonly [string, Problem][] = [
  ['dns1123Label', dnsLabelProblem],
  ['dns1123Subdomain', subdomainProblem],
  ['dns1035Label', dns1035Problem],
  ['qualifiedName', qualifiedNameProblem],
  ['dns1123LabelPrefix', asPrefix(dnsLabelProblem)],
  ['dns1123SubdomainPrefix', asPrefix(subdomainProblem)],
  ['dns1035LabelPrefix', asPrefix(dns1035Problem)],
  ['labelValue', labelValueProblem],
  ['uri', ofFormat('uri', 'invalid URI for request')],
  ['uuid', ofFormat('uuid', 'does not match the UUID format')],
  ['byte', ofFormat('byte', 'invalid base64')],
  ['date', ofFormat('date', 'invalid date')],
  ['datetime', ofFormat('datetime', 'invalid datetime')],
]

export function registerNamedFormats({ env, add, namespace }: Registrar): void {
  const formats = new Map(problems.map(([name, problem]) => [name, new NamedFormat(name, problem)]))
  env.registerType(typeName, { ctor: NamedFormat, fields: {} })
  env.registerOperator(`${typeName} == ${typeName}`, (left: NamedFormat, right: NamedFormat) => left.equals(right))
  const root = namespace('format')
  add(`${root}.named(string): optional<${typeName}>`, (_: unknown, name: string) => {
    const format = formats.get(name)
    return format ? Optional.of(format) : Optional.none()
  })
  for (const [name, format] of formats) add(`${root}.${name}(): ${typeName}`, () => format)
  add(`${typeName}.validate(string): optional<list<string>>`, (format: NamedFormat, text: string) => {
    const problem = format.problem(text)
    return problem === undefined ? Optional.none() : Optional.of([problem])
  })
}
