export {
  type Authority,
  createAuthority,
  type IssuedCertificate,
  issueClientCertificate,
  issueServerCertificate,
  loadAuthority,
} from './authority.ts'
export {
  type CertificateRequest,
  CertificateRequestError,
  createCertificateRequest,
  parseCertificateRequest,
  signCertificateRequest,
} from './certificate-request.ts'
export { type ClientIdentity, isTrustedClient, readClientCertificate } from './client-certificate.ts'
export type { SubjectName } from './distinguished-name.ts'
