/** What an operator has to do after an edit, as the command line prints it. */
export const syncMessage = (marked: readonly { readonly id: number }[]): string =>
  `The copies on the peer site are out-of-sync now. Sync these peer group associations: ${marked.map(({ id }) => id).join(', ')}`
