export type { StoreOptions } from './engine.ts'
export {
  InvalidContinue,
  StoreClosed,
  StoreOpenError,
  type StoreOpenProblem,
  VersionNotReached,
  WriteFailed,
} from './errors.ts'
export { memoryStore } from './memory-store.ts'
export { type SqliteStoreOptions, sqliteStore } from './sqlite-store.ts'
export { imageOf, type StoreImage } from './store-image.ts'
export {
  type Collection,
  type ListOptions,
  type Mutation,
  type ObjectKey,
  type Page,
  type Store,
  type Stored,
  type StoreEvent,
  VersionExpired,
} from './types.ts'
