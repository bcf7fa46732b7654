/** Loaded before everything else: plants one bug, named by MUTANT, into the product's source while it is read. */
import { registerHooks } from 'node:module'
import { MUTANTS } from './mutants.ts'

const mutant = MUTANTS.find(({ name }) => name === process.env['MUTANT'])
if (!mutant) throw new Error(`no mutant ${process.env['MUTANT']}`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(`/packages/hubs/src/${mutant.file}`)) return loaded
    const source = String(loaded.source)
    const planted = source.replace(mutant.find, mutant.replace)
    if (planted === source) throw new Error(`${mutant.file} does not hold what mutant ${mutant.name} replaces`)
    return { ...loaded, source: planted }
  },
})
