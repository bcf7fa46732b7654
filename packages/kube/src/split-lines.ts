import { StringDecoder } from 'node:string_decoder'

/** The largest object a server stores is far below this; a longer line is no watch event. */
export const MAX_LINE_CHARS = 32 * 1024 * 1024

/** Whole lines without their ends; a rest without a line end comes last. Throws on a line over `maxChars`. */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxChars: number = MAX_LINE_CHARS,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8')
  let text = ''
  for await (const chunk of chunks) {
    let searchFrom = text.length
    text += decoder.write(chunk)
    let lineStart = 0
    for (let end = text.indexOf('\n', searchFrom); end !== -1; end = text.indexOf('\n', searchFrom)) {
      yield text.slice(lineStart, text[end - 1] === '\r' ? end - 1 : end)
      lineStart = end + 1
      searchFrom = lineStart
    }
    text = text.slice(lineStart)
    if (text.length > maxChars) throw new RangeError(`a line is longer than ${maxChars} characters`)
  }
  text += decoder.end()
  if (text !== '') yield text
}
