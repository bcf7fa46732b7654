import { type ApiRequest, header } from '../http/message.ts'

const maxManagerLength = 128

/** Who owns the fields of a write: the `fieldManager` parameter, else the User-Agent up to its first `/`. */
export function managerOf(request: ApiRequest, fieldManager: string): string {
  if (fieldManager) return fieldManager
  const agent = header(request, 'user-agent') ?? ''
  const end = agent.indexOf('/')
  const name = (end < 0 ? agent : agent.slice(0, end)).replaceAll(/[^\x20-\x7e]/g, '').slice(0, maxManagerLength)
  return name || 'unknown'
}
