/** Rules of request fields that several resources share. Numbers may come as text: a command line sends them so. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { Refusal } from './refusal.ts'

/** Not only digits, which would be taken for an id, and nothing that a pattern would read. */
export const nameField = z
  .string()
  .max(255)
  .regex(/^(?!\d+$)[^.*+?|()[\]{}^$]+$/)

export const shortText = z.string().min(1).max(254)

export const addressField = z.string().refine(value => isIP(value) !== 0)

export const uuidField = z
  .string()
  .regex(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)
  .transform(value => value.replaceAll('-', '').toLowerCase())
  .transform(hex => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))

export const integerField = (least: number, most: number) =>
  z
    .union([
      z.int(),
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(least).max(most))

/** The known fields of a body, checked. Unknown ones are passed over, and null counts as left out. @throws Refusal 400 */
export function checkedFields<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, body: unknown) {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.keys(body).length === 0)
    throw new Refusal(400, 'Body required')
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  // Never the value: it may be a password.
  throw new Refusal(400, `Invalid ${String(parsed.error.issues[0]?.path[0] ?? 'request')}`)
}
