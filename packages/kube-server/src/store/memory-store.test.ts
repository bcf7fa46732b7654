import { describe } from 'node:test'
import { VirtualClock } from '@godwit/ports'
import { testLists } from '../../test/store-contract/list-contract.ts'
import { testRandomHistories } from '../../test/store-contract/random-histories.ts'
import { testWatches } from '../../test/store-contract/watch-contract.ts'
import { testWrites } from '../../test/store-contract/write-contract.ts'
import type { StoreOptions } from './engine.ts'
import { memoryStore } from './memory-store.ts'

describe('the memory store', () => {
  const open = (options?: Partial<StoreOptions>) => memoryStore({ clock: new VirtualClock(), ...options })
  testWrites(open)
  testLists(open)
  testWatches(open)
  testRandomHistories(open, { runs: 300 })
})
