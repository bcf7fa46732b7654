import { hubsStageDocs } from '@godwit/hubs'
import { nodesDocs } from '@godwit/nodes'
import { sitesDocs } from '@godwit/sites'
import type { Generators } from './sections.ts'

/** What makes the generated sections of docs/*.md, by section name. */
export const generators: Generators = Object.fromEntries(
  Object.entries({ ...hubsStageDocs, ...nodesDocs, ...sitesDocs }).map(([name, make]) => [name, async () => make()]),
)
