/** What a guard or a proof says about one look at the world. */
export type Verdict =
  | { readonly kind: 'holds' }
  /** Not yet: `waitsFor` names the missing fact in words a person can act on, `who` can bring it about. */
  | { readonly kind: 'waits'; readonly waitsFor: string; readonly who: string }
  /** Never: `code` is one of a closed list of the domain, `message` says what, why and what to do. */
  | { readonly kind: 'fails'; readonly code: string; readonly message: string }

export const holds: Verdict = Object.freeze({ kind: 'holds' })

export const waits = (waitsFor: string, who: string): Verdict => ({ kind: 'waits', waitsFor, who })

export const fails = (code: string, message: string): Verdict => ({ kind: 'fails', code, message })
