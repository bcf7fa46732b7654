/** PEM armour (RFC 7468) around DER. */

/** Thrown when text is not the one PEM block that was asked for. */
export class PemError extends Error {
  override readonly name = 'PemError'
}

/** Wraps DER bytes; `label` is for instance `CERTIFICATE`. */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** No two neighbours of this pattern match the same character: strangers send these texts, up to 3 MiB of blanks. */
const blockPattern = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----/

/** DER bytes of the first block, which must carry `label`. */
export function fromPem(label: string, pem: string): Buffer {
  const block = blockPattern.exec(pem)
  if (block === null) throw new PemError('no PEM block found')
  if (block[1] !== label || block[3] !== label) throw new PemError(`PEM block type must be ${label}`)
  return Buffer.from(block[2] ?? '', 'base64')
}
