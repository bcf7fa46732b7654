export type { BackoffLimits } from './backoff.ts'
export { type CallCount, CallCounter } from './call-counter.ts'
export type { CallOptions } from './caller.ts'
export {
  type ApplyOptions,
  type ClientOptions,
  type DeleteOptions,
  type Identity,
  KubeClient,
  type KubeClientOptions,
  type PatchOptions,
  type RequestOptions,
  type WatchOptions,
  type WriteOptions,
} from './client.ts'
export type { Change } from './collection-cache.ts'
export {
  isAlreadyExists,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isObjectNotFound,
  KubeError,
  type KubeFailure,
  type StatusCause,
  type StatusDetails,
} from './errors.ts'
export { EventRecorder, type EventRecorderOptions } from './event-recorder.ts'
export type { EventInput } from './event-series.ts'
export {
  type CredentialSource,
  type Credentials,
  type HttpTransportOptions,
  httpTransport,
} from './http-transport.ts'
export { type Handler, Informer, type InformerOptions } from './informer.ts'
export { type KubeconfigOptions, type KubeconfigSource, kubeconfigTransport } from './kubeconfig.ts'
export { LeaderElector, type LeaderElectorOptions } from './leader-elector.ts'
export type { Lease, LeaseSpec } from './leader-lease.ts'
export type { Term } from './leader-term.ts'
export { type Limiter, type RateLimit, rateLimiter } from './limiter.ts'
export type { ListOptions, ObjectList } from './list.ts'
export {
  type KubeObject,
  keyOf,
  type ObjectMeta,
  type OwnerReference,
  type Precondition,
  type Ref,
  refOf,
} from './object.ts'
export {
  apiVersionOf,
  collectionPath,
  defineResource,
  objectPath,
  type Resource,
  resourceName,
  resources,
} from './resource.ts'
export { customObjectSchema, structuralSchema } from './structural-schema.ts'
export {
  isTransportError,
  type Transport,
  TransportError,
  type TransportFailure,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts'
export { type Bound, until } from './until.ts'
export { compareVersions, isOlder } from './version.ts'
export type { WatchEvent } from './watch.ts'
