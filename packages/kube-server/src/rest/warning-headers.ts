/** As on the real server: clients refuse an answer whose headers are too long, even when the write went well. */
const maxItemLength = 256
const maxTotalLength = 4 * 1024

/** Warning headers for what a client should know about its request; long ones are cut, the last ones left out. */
export function warningHeaders(texts: readonly string[]): string[] {
  const headers: string[] = []
  let left = maxTotalLength
  for (const text of new Set(texts)) {
    const shown = text.length > maxItemLength ? `${text.slice(0, maxItemLength - 3)}...` : text
    left -= shown.length
    if (left < 0) break
    headers.push(`299 - "${shown.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^\x20-\x7e]/g, '?')}"`)
  }
  return headers
}
