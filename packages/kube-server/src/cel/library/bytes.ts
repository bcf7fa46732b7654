import type { Registrar } from '../registrar.ts'

/** Bytes have an order, which the CEL library does not know. */
export function registerBytes({ env }: Registrar): void {
  const compare = Buffer.compare
  env.registerOperator('bytes < bytes', (left: Uint8Array, right: Uint8Array) => compare(left, right) < 0)
  env.registerOperator('bytes <= bytes', (left: Uint8Array, right: Uint8Array) => compare(left, right) <= 0)
  env.registerOperator('bytes > bytes', (left: Uint8Array, right: Uint8Array) => compare(left, right) > 0)
  env.registerOperator('bytes >= bytes', (left: Uint8Array, right: Uint8Array) => compare(left, right) >= 0)
}
