/** Randomness as a port: back-off jitter, generated names and fault schedules replay from a seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}

/** The machine's randomness. */
export const systemRandom: Random = Object.freeze({ next: () => Math.random() })

/** Deterministic randomness (mulberry32): the same 32-bit seed gives the same sequence. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
