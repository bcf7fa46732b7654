/**
 * Preloaded into the process of every test file: property tests draw the same examples in every run, so that a run of
 * CI says something about the change it judges. `npm test -- --seed random` goes looking for new ones.
 */
import fc from 'fast-check'

const seed = Number(process.env['GODWIT_TEST_SEED'])

if (Number.isInteger(seed)) fc.configureGlobal({ seed })
