import type { IncomingMessage } from 'node:http'
import { maxBodyBytes } from './body.ts'

/** A client that goes on sending after a refusal is listened to this far, so that it reads the refusal. */
const maxDrainedBytes = 64 * 1024 * 1024

/** The whole body; undefined when there is none, 'too-large' when it exceeds the limit. Rejects when the client leaves. */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined | 'too-large'> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBodyBytes) chunks.push(chunk)
      else if (bytes > maxDrainedBytes) request.destroy(new Error('the body is far too large'))
      else chunks.length = 0
    })
    request.on('end', () => {
      if (bytes > maxBodyBytes) resolve('too-large')
      else if (bytes === 0) resolve(undefined)
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
    })
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client left before its body was there')))
  })
}
