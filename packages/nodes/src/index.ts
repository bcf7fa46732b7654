export * from './api/index.ts'
export * from './registry/registry.ts'
