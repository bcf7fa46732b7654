export type { Cause } from './api/status-error.ts'
export { StatusError } from './api/status-error.ts'
export type { User } from './api/user.ts'
export type { StaticUser } from './auth/index.ts'
export type { Approver } from './controllers/certificate-signer.ts'
export type { FaultEffect, FaultRule, FaultTarget } from './faults/fault.ts'
export type { FaultSwitch } from './faults/fault-switch.ts'
export type { ApiRequest, ApiResponse, WatchSink } from './http/message.ts'
export {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from './http/transport.ts'
export type { ChangeNote } from './rest/call.ts'
export { KubeServer } from './server/kube-server.ts'
export type { AuthOptions, Caller, KubeServerOptions, RequestNote } from './server/options.ts'
export type { ServerImage } from './server/server-image.ts'
export { parseUsers } from './server/users-file.ts'
