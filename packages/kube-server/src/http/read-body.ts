import type { IncomingMessage } from 'node:http'
import { maxBodyBytes } from './body.ts'

/** A client that goes on sending after a refusal is listened to this far, so that it reads the refusal. */
const maxDrainedBytes = 64 * 1024 * 1024

export interface ReceivedBody {
  readonly isTooLarge: boolean
  /** Absent when there is none, or too much. */
  readonly bytes?: Buffer
}

/** Reads the whole body, keeping no more than the limit. Rejects when the client leaves. */
export function readBody(request: IncomingMessage): Promise<ReceivedBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBodyBytes) chunks.push(chunk)
      else if (length > maxDrainedBytes) request.destroy(new Error('the body is far too large'))
      else chunks.length = 0
    })
    request.on('end', () => {
      if (length > maxBodyBytes) resolve({ isTooLarge: true })
      else if (length === 0) resolve({ isTooLarge: false })
      else resolve({ isTooLarge: false, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) })
    })
    request.on('error', reject)
    // 'close' follows every request; an error made for nothing costs as much as parsing the body.
    request.on('close', () => {
      if (!request.complete) reject(new Error('the client left before its body was there'))
    })
  })
}
