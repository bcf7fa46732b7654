import { keyed, open, type Shape, untracked } from './shape.ts'
import { metadataShape } from './shape-metadata.ts'

const conditions = keyed(['type'])

function objectShape(fields: { readonly [name: string]: Shape }): Shape {
  return open({ apiVersion: untracked, kind: untracked, metadata: metadataShape, ...fields })
}

const generic = objectShape({ status: open({ conditions }) })

/** The shape of a built-in kind; kinds without declared lists get metadata and status conditions. */
export function builtinShape(_apiVersion: string, _kind: string): Shape {
  return generic
}
