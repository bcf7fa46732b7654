/** Requests that were caught on their way to a site. */
import type { HttpRequest } from '../src/http/exchange.ts'

export const bufferText = (text: string): Uint8Array => Buffer.from(text)

/** Its parts by name; files as their contents. */
export async function formOf({ headers, body }: HttpRequest): Promise<Readonly<Record<string, string>>> {
  const form = await new Response(new Uint8Array(body ?? []), {
    headers: { 'content-type': headers['content-type'] ?? '' },
  }).formData()
  const parts = [...form.entries()].map(async ([name, value]) => [
    name,
    typeof value === 'string' ? value : await value.text(),
  ])
  return Object.fromEntries(await Promise.all(parts))
}
