import { Refusal } from './refusal.ts'

/** Of a password that clients send as base64. The text of the error names the field, never its value. @throws Refusal 400 */
export function decodedPassword(field: string, value: string): string {
  const isBase64 = value.length > 0 && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
  const clear = isBase64 ? Buffer.from(value, 'base64').toString() : ''
  if (clear === '') throw new Refusal(400, `Invalid ${field}: it has to be base64`)
  return clear
}
