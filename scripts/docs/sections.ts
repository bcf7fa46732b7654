/**
 * The parts of a page that are made from the code, each between `<!-- generated:NAME -->` and `<!-- /generated -->`
 * on lines of their own. What stands outside of them belongs to people.
 */

const section = /^<!-- generated:(?<name>[a-z0-9-]+) -->\n(?<body>[\s\S]*?)^<!-- \/generated -->$/gm
const mark = /^<!-- (?:generated:|\/generated)/gm

/** A map from section name to what makes its text. */
export type Generators = Readonly<Record<string, () => Promise<string>>>

export interface Page {
  /** The whole page with every section made anew. */
  readonly text: string
  /** The sections whose text is not what their generator says. */
  readonly stale: readonly string[]
  readonly names: readonly string[]
}

/** Throws when a section names no generator, or when a mark has lost its counterpart. */
export async function regenerate(page: string, generators: Generators): Promise<Page> {
  const found = [...page.matchAll(section)]
  if ((page.match(mark)?.length ?? 0) !== found.length * 2) throw new Error('an opening or closing mark stands alone')
  const stale: string[] = []
  const names: string[] = []
  let text = ''
  let at = 0
  for (const match of found) {
    const name = match.groups?.['name'] ?? ''
    const generate = generators[name]
    if (!generate) throw new Error(`section ${name} has no generator in scripts/docs/generators.ts`)
    const body = `${(await generate()).trim()}\n`
    if (body !== match.groups?.['body']) stale.push(name)
    names.push(name)
    text += `${page.slice(at, match.index)}<!-- generated:${name} -->\n${body}<!-- /generated -->`
    at = match.index + match[0].length
  }
  return { text: text + page.slice(at), stale, names }
}
