/** Bugs that somebody might write, one place each, and the shortest run that must notice them. */
export interface Mutant {
  readonly name: string
  /** Below packages/hubs/src. */
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly scenario: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'denies the cluster before the target has it',
    file: 'controller/item-table.ts',
    find: "wishStage('Source', 'Deploying'),\n",
    replace: "wishStage('Source', 'Registering'),\n",
    scenario: 'forward',
  },
  {
    name: 'cleans up the source before the klusterlet is at home on the target',
    file: 'controller/item-table.ts',
    find: "wishStage('Source', 'Cleaning', targetSettled)",
    replace: "wishStage('Source', 'Cleaning')",
    scenario: 'forward',
  },
  {
    name: 'acts before the record says so',
    file: 'agent/item-pass.ts',
    find: 'const written = await persist(options, task, nexts)',
    replace: 'const written = { ...task }; void persist(options, task, nexts).catch(() => undefined)',
    scenario: 'forward',
  },
  {
    name: 'forgets to revoke the token',
    file: 'controller/shared-table.ts',
    find: "? [{ kind: 'deleteServiceAccount' }]",
    replace: '? []',
    scenario: 'forward',
  },
  {
    name: 'leaves the sealing key behind',
    file: 'target/shared-table.ts',
    find: "(facts.hasSealingKey ? [{ kind: 'deleteSealingKey' }] : [])",
    replace: '[]',
    scenario: 'forward',
  },
  {
    name: 'tells the private key in the record',
    file: 'target/sealing-key.ts',
    find: 'return pair.publicKey',
    replace: 'return pair.privateKey',
    scenario: 'forward',
  },
  {
    name: 'does not restore the annotations',
    file: 'source/item-table.ts',
    find: 'missing: facts => restoreCluster(facts)',
    replace: 'missing: () => []',
    scenario: 'rolled-back',
  },
  {
    name: 'does not accept the cluster again',
    file: 'source/item-table.ts',
    find: "(facts.cluster && !isAccepted(facts) ? [{ kind: 'accept' }] : [])",
    replace: '[]',
    scenario: 'returned',
  },
  {
    name: 'says that what is stuck is rolled back',
    file: 'controller/step-item.ts',
    find: "outcome: 'Stuck', residue:",
    replace: "outcome: 'RolledBack', residue:",
    scenario: 'asked-again',
  },
  {
    name: 'counts what failed as completed',
    file: 'controller/progress.ts',
    find: "if (outcome !== undefined) return 'failed'",
    replace: "if (outcome !== undefined) return 'completed'",
    scenario: 'rolled-back',
  },
]
