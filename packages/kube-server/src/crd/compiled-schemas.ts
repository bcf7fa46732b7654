import type { JsonObject } from '../api/object.ts'
import { type Shape, shapeOfSchema } from '../apply/index.ts'
import { compileSchema, type Schema } from '../schema/index.ts'

/** What follows from a schema alone. */
export interface CompiledSchema {
  readonly schema: Schema
  readonly shape: Shape
}

/**
 * Compiles each frozen schema once, CEL rules included. Servers of one process that began with the same image hold the
 * very same schemas, so they share the work.
 */
export class CompiledSchemas {
  readonly #known = new WeakMap<JsonObject, CompiledSchema>()

  of(openApi: JsonObject): CompiledSchema {
    const known = this.#known.get(openApi)
    if (known) return known
    const compiled = { schema: compileSchema(openApi), shape: shapeOfSchema(openApi) }
    if (Object.isFrozen(openApi)) this.#known.set(openApi, compiled)
    return compiled
  }
}
