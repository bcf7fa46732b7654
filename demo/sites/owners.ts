/** Who owned each subcloud, and when, from the history that the subclouds themselves keep. Pure. */

export interface HomeChange {
  readonly atMs: number
  readonly region: string
  readonly from: string
  readonly to: string
}

export interface Ownership {
  readonly name: string
  /** Owners one after the other, with the seconds since the start at which each began; the first one from the start. */
  readonly owners: readonly { readonly owner: string; readonly fromS: number }[]
  /** How many owned it at once, at most. */
  readonly most: number
}

/** @param first who owned all of them before */
export function ownershipOf(
  { name, region }: { readonly name: string; readonly region: string },
  history: readonly HomeChange[],
  { startMs, first }: { readonly startMs: number; readonly first: string },
): Ownership {
  const own = history.filter(change => change.region === region)
  const holders = new Set([first])
  let most = holders.size
  for (const { from, to } of own) {
    // Whoever is not the one that gives it up still has it.
    holders.delete(from)
    holders.add(to)
    most = Math.max(most, holders.size)
  }
  const owners = own.map(({ atMs, to }) => ({ owner: to, fromS: Math.round((atMs - startMs) / 100) / 10 }))
  return { name, owners: [{ owner: first, fromS: 0 }, ...owners], most }
}

/** A line for each subcloud, and one above them. */
export function ownershipTable(all: readonly Ownership[], nameOf: (owner: string) => string): string[] {
  const shown = (owners: Ownership['owners']) =>
    owners.map(({ owner, fromS }) => `${nameOf(owner)} ${fromS.toFixed(1)} s`).join(' → ')
  const rows = all.map(({ name, owners, most }) => [name, shown(owners), String(most)] as const)
  const head = ['subcloud', 'owner since', 'at once'] as const
  const widths = [0, 1, 2].map(column => Math.max(...[head, ...rows].map(row => (row[column] ?? '').length)))
  return [head, ...rows].map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
