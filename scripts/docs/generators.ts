import type { Generators } from './sections.ts'

/**
 * What makes the generated sections of docs/*.md, by section name. Import the package that knows the truth inside the
 * function, so that only the page that needs it loads it:
 * `'hubs-stages': async () => (await import('@godwit/hubs')).stagesAsMarkdown()`.
 */
export const generators: Generators = {}
