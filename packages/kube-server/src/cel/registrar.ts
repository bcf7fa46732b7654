import type { Environment } from '@marcbachmann/cel-js'
import type { Meter } from './meter.ts'

/** Functions replace those of the library under this prefix; a call is renamed before it is checked. */
export const replacedPrefix = 'x_'

/** What the parts of the function library need to add their functions. */
export interface Registrar {
  readonly env: Environment
  readonly meter: Meter
  /** Adds one overload: `string.charAt(int): string`. Handlers are synchronous. */
  add<Args extends never[]>(signature: string, handler: (...args: Args) => unknown): void
  /** Adds an overload that stands in for one of the library with the same name. */
  replace<Args extends never[]>(signature: string, handler: (...args: Args) => unknown): void
  /** Adds a namespace: `name.member(…)` becomes a call of the namespace type's method. Returns the type's name. */
  namespace(name: string): string
}

export function registrar(env: Environment, meter: Meter): Registrar & { readonly replaced: ReadonlySet<string> } {
  const replaced = new Set<string>()
  const add = (signature: string, handler: (...args: never[]) => unknown) => {
    env.registerFunction(signature, (...args: unknown[]) => handler(...(args as never[])), { async: false })
  }
  return {
    env,
    meter,
    replaced,
    add,
    replace(signature, handler) {
      const name = /(\w+)\(/.exec(signature)?.[1] ?? ''
      replaced.add(name)
      add(signature.replace(`${name}(`, `${replacedPrefix}${name}(`), handler)
    },
    namespace(name) {
      class Namespace {}
      const type = `${name}.Namespace`
      env.registerType(type, Namespace)
      env.registerConstant(name, type, new Namespace())
      return type
    },
  }
}
