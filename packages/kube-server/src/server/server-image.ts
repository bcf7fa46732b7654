import type { KeyStore, SigningKey } from '../auth/index.ts'
import type { CompiledSchemas } from '../crd/compiled-schemas.ts'
import type { Authority } from '../pki/index.ts'
import type { StoreImage } from '../store/index.ts'

/** What any number of servers in memory can begin with. Opaque to callers; nothing that a server does changes it. */
export interface ServerImage {
  readonly content: StoreImage
  readonly keys: KeyStore
  readonly signingKey: SigningKey
  readonly authority: Authority
  readonly schemas: CompiledSchemas
}
