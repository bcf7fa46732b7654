/** `x-kubernetes-validations` of a definition: well-formed entries that compile and can be afforded. */
import type { JsonObject } from '../api/object.ts'
import type { Cause } from '../api/status-error.ts'
import type { CompiledRule, RuleNode } from '../cel/index.ts'
import { forbidden, invalid, missing, notSupported } from './causes.ts'
import { schemaList, textOf } from './keyword.ts'
import { parseNode } from './parse-node.ts'
import { ruleFieldPath } from './rule-field-path.ts'

/** Where the walk stands in the compiled rules. Undefined nodes have no rules at or below them. */
export class RuleContext {
  readonly node: RuleNode | undefined
  /** Rules that nobody could afford; the same list for all nodes. */
  readonly expensive: ExpensiveRule[]

  constructor(node: RuleNode | undefined, expensive: ExpensiveRule[] = []) {
    this.node = node
    this.expensive = expensive
  }

  property(name: string): RuleContext {
    return new RuleContext(this.node?.properties.get(name), this.expensive)
  }

  additional(): RuleContext {
    return new RuleContext(this.node?.additional, this.expensive)
  }

  items(): RuleContext {
    return new RuleContext(this.node?.items, this.expensive)
  }
}

interface ExpensiveRule {
  readonly path: string
  readonly work: number
}

/** The real server allows ten million units; what takes a hundred times as many steps is beyond doubt. */
const maxWork = 1_000_000_000

const howToSave =
  'exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

/** How many of the expensive rules are named. */
const maxNamedRules = 4

/** What follows for the definition as a whole from rules that are too expensive. */
export function totalCostCauses({ expensive }: RuleContext, path: string): Cause[] {
  if (expensive.length === 0) return []
  const worst = expensive.toSorted((a, b) => b.work - a.work).slice(0, maxNamedRules)
  return [
    ...worst.map(rule =>
      forbidden(
        [rule.path],
        'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      ),
    ),
    forbidden([path], `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema ${howToSave}`),
  ]
}

interface RulePlace {
  readonly path: string
  readonly uncorrelatable: string | undefined
}

interface RuleFindings {
  readonly schema: Cause[]
  readonly rules: Cause[]
}

/** Without a context only the form of the entries is looked at. */
export function ruleCausesAt(schema: JsonObject, place: RulePlace, context: RuleContext | undefined): RuleFindings {
  const found: RuleFindings = { schema: [], rules: [] }
  const entries = schemaList(schema, 'x-kubernetes-validations')
  for (const [i, entry] of entries.entries())
    checkForm(entry, schema, `${place.path}.x-kubernetes-validations[${i}]`, found.schema)
  if (!context || found.schema.length > 0) return found
  if (context.node?.isOpaque) return { ...found, rules: [opaqueCause(place.path)] }
  for (const [i, entry] of entries.entries()) {
    const compiled = context.node?.rules[i]
    if (!compiled) continue
    const path = `${place.path}.x-kubernetes-validations[${i}]`
    if (compiled.work > maxWork) {
      context.expensive.push({ path: `${path}.rule`, work: compiled.work })
      found.rules.push(forbidden([`${path}.rule`], `estimated rule cost ${howToSave}`))
    }
    found.rules.push(...compileCauses(entry, compiled, path, place))
  }
  return found
}

/** Rules stand where the schema says nothing about the data. */
const opaqueCause = (path: string): Cause => ({
  reason: 'InternalError',
  field: `${path}.x-kubernetes-validations`,
  message:
    'Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations',
})

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const hasLineBreak = (text: string) => /[\r\n]/.test(text)

function checkForm(entry: JsonObject, schema: JsonObject, path: string, causes: Cause[]): void {
  checkMessage(entry, path, causes)
  const expression = textOf(entry, 'messageExpression')
  if (expression !== '' && expression.trim() === '')
    causes.push(missing([`${path}.messageExpression`], 'messageExpression must be non-empty if specified'))
  const reason = textOf(entry, 'reason')
  if (reason !== '' && !reasons.includes(reason)) causes.push(notSupported([`${path}.reason`], reason, reasons))
  const fieldPath = textOf(entry, 'fieldPath')
  if (fieldPath === '') return
  const at = [`${path}.fieldPath`]
  if (fieldPath.trim() === '') causes.push(invalid(at, fieldPath, 'fieldPath must be non-empty if specified'))
  if (hasLineBreak(fieldPath)) causes.push(invalid(at, fieldPath, 'fieldPath must not contain line breaks'))
  if ('problem' in ruleFieldPath(parseNode(schema), fieldPath))
    causes.push(invalid(at, fieldPath, 'fieldPath must be a valid path'))
}

function checkMessage(entry: JsonObject, path: string, causes: Cause[]): void {
  const rule = textOf(entry, 'rule').trim()
  const message = textOf(entry, 'message')
  const at = [`${path}.message`]
  if (rule === '') causes.push(missing([`${path}.rule`], 'rule is not specified'))
  else if (message !== '' && message.trim() === '')
    causes.push(invalid(at, message, 'message must be non-empty if specified'))
  else if (hasLineBreak(message.trim())) causes.push(invalid(at, message, 'message must not contain line breaks'))
  else if (hasLineBreak(rule) && message.trim() === '')
    causes.push(missing(at, 'message must be specified if rule contains line breaks'))
}

function compileCauses(
  entry: JsonObject,
  { rule, compiled, message }: CompiledRule,
  path: string,
  place: RulePlace,
): Cause[] {
  const causes: Cause[] = []
  const at = [`${path}.rule`]
  if (!('program' in compiled)) causes.push(invalidRule(at, entry, compiled.error))
  if (message && !('program' in message)) causes.push(invalidRule([`${path}.messageExpression`], entry, message.error))
  const usesOldSelf = 'program' in compiled && compiled.program.usesOldSelf
  if (usesOldSelf && place.uncorrelatable !== undefined)
    causes.push(
      invalid(
        at,
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`,
      ),
    )
  if (!usesOldSelf && rule.optionalOldSelf !== undefined)
    causes.push(
      invalid([`${path}.optionalOldSelf`], rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'),
    )
  return causes
}

/** The whole entry is shown, as Go prints a struct. */
function invalidRule(at: readonly string[], entry: JsonObject, why: string): Cause {
  const quoted = (keyword: string) => JSON.stringify(textOf(entry, keyword))
  const reason = textOf(entry, 'reason')
  const optionalOldSelf = entry['optionalOldSelf']
  const members = [
    `Rule:${quoted('rule')}`,
    `Message:${quoted('message')}`,
    `MessageExpression:${quoted('messageExpression')}`,
    `Reason:(*apiextensions.FieldValueErrorReason)(${reason || 'nil'})`,
    `FieldPath:${quoted('fieldPath')}`,
    `OptionalOldSelf:(*bool)(${typeof optionalOldSelf === 'boolean' ? optionalOldSelf : 'nil'})`,
  ]
  return {
    reason: 'FieldValueInvalid',
    field: at.join('.'),
    message: `Invalid value: apiextensions.ValidationRule{${members.join(', ')}}: ${why}`,
  }
}
