export { validateObjectMeta } from './metadata.ts'
export { applyDefaults, compileSchema, prune, type Schema, validate } from './schema.ts'
export { checkStructural } from './structural.ts'
