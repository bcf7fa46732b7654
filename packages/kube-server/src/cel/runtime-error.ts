/** Texts of what can go wrong while a rule runs, as the real server words them. */
import { EvaluationError } from '@marcbachmann/cel-js'
import { RuleError } from './rule-error.ts'

export function describeRuntimeError(error: unknown): string {
  if (error instanceof RuleError) return error.message
  if (error instanceof EvaluationError) return describeLibraryError(error)
  // A rule must never take the server down, whatever the library made of it.
  return `internal error: ${error instanceof Error ? error.message : String(error)}`
}

const conversions: ReadonlyMap<string, string> = new Map([
  ['bool_conversion_error', 'bool'],
  ['double_conversion_error', 'double'],
  ['int_conversion_error', 'int'],
  ['uint_conversion_error', 'uint'],
  ['invalid_timestamp', 'google.protobuf.Timestamp'],
  ['invalid_duration', 'google.protobuf.Duration'],
])

function describeLibraryError({ code, summary }: EvaluationError): string {
  const target = conversions.get(code)
  if (target) return `type conversion error from 'string' to '${target}'`
  switch (code) {
    case 'no_such_key':
      return summary.replace(/^No such key: /, 'no such key: ')
    case 'index_out_of_bounds':
      return `index out of bounds: ${/index (-?\d+)/.exec(summary)?.[1] ?? ''}`
    case 'numeric_overflow':
      return /unsigned/i.test(summary) ? 'unsigned integer overflow' : 'integer overflow'
    case 'modulo_by_zero':
      return 'modulus by zero'
    case 'division_by_zero':
      return 'division by zero'
    case 'no_such_overload':
    case 'no_matching_overload':
    case 'field_type_mismatch':
    case 'list_item_type_mismatch':
    case 'variable_type_mismatch':
    case 'invalid_logical_operand':
    case 'invalid_condition_type':
      return 'no such overload'
    case 'optional_value_missing':
      return 'optional.none() dereference'
    default:
      return summary
  }
}
