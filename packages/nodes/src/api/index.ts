export * from './kinds.ts'
export * from './names.ts'
