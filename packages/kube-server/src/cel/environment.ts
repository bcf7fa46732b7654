/** The functions that rules of custom resources may call: CEL's own, its extensions, and those of Kubernetes. */
import { Environment } from '@marcbachmann/cel-js'
import { registerBytes } from './library/bytes.ts'
import { registerCidr, registerIp, registerNetTypes } from './library/ip.ts'
import { registerLists, registerSets } from './library/lists.ts'
import { registerNamedFormats } from './library/named-format.ts'
import { registerOptionals } from './library/optionals.ts'
import { registerQuantity } from './library/quantity.ts'
import { registerRegex } from './library/regex.ts'
import { registerStrings } from './library/strings.ts'
import { registerTime } from './library/time.ts'
import { registerUrl } from './library/url.ts'
import type { Meter } from './meter.ts'
import { registrar } from './registrar.ts'

/** Size of a rule: far above any real one, far below what would hold up the server while it is compiled. */
const limits = {
  maxAstNodes: 20_000,
  maxDepth: 200,
  maxListElements: 10_000,
  maxMapEntries: 10_000,
  maxCallArguments: 32,
}

export interface RuleEnvironment {
  readonly env: Environment
  readonly meter: Meter
  /** Functions of the library that are called under another name. */
  readonly replaced: ReadonlySet<string>
  /** Names of the fields of each type that was declared so far. */
  readonly fields: Map<string, ReadonlySet<string>>
}

/** One per schema: its functions charge the schema's meter. */
export function ruleEnvironment(meter: Meter): RuleEnvironment {
  const env = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, limits })
  const functions = registrar(env, meter)
  registerStrings(functions)
  registerLists(functions)
  registerSets(functions)
  registerRegex(functions)
  registerTime(functions)
  registerUrl(functions)
  registerQuantity(functions)
  registerIp(functions)
  registerCidr(functions)
  registerNetTypes(functions)
  registerBytes(functions)
  registerNamedFormats(functions)
  registerOptionals(functions)
  return { env, meter, replaced: functions.replaced, fields: new Map() }
}
