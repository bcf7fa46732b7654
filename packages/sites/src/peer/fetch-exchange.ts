/** Requests over the network. Time-outs are the caller's, by its signal. */
import type { HttpExchange } from '../http/exchange.ts'

export const fetchExchange: HttpExchange = async ({ method, url, headers, body }, signal) => {
  const answer = await fetch(url, {
    method,
    headers: { ...headers },
    // A redirect would carry the token to an address that nobody configured.
    redirect: 'manual',
    ...(body !== undefined && { body: new Uint8Array(body) }),
    ...(signal && { signal }),
  })
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: new Uint8Array(await answer.arrayBuffer()),
  }
}
