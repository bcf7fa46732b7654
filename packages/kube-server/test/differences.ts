/** The same operations on two servers, one after the other, and where their answers differ. */
import type { Random } from '@godwit/ports'
import type { Answer, Api } from './api.ts'
import { type Act, collectionOf, type Operation, type Playground, perform, randomOperation } from './operations.ts'

export interface Difference {
  readonly step: number
  readonly operation: Operation | 'list'
  /** Member by member, such as `body.spec.size`. */
  readonly path: string
  readonly left: unknown
  readonly right: unknown
}

export interface ComparisonOptions {
  readonly left: Api
  readonly right: Api
  /** Has the definition of widgets and the namespaces of the playground on both servers. */
  readonly playground: Playground
  readonly random: Random
  readonly steps: number
}

/** What happens behind the answer, at a pace of its own: a moment's state says nothing. */
export const ASYNCHRONOUS: readonly Act[] = ['createOwned', 'deleteForeground', 'deleteOrphan']

const LIST_EVERY = 10

export async function differences(options: ComparisonOptions): Promise<readonly Difference[]> {
  const { left, right, playground, random, steps } = options
  const found: Difference[] = []
  for (let step = 1; step <= steps; step++) {
    const operation = randomOperation(random, playground)
    const answers = await Promise.all([left, right].map(api => perform(api, playground.group, operation)))
    const [one, other] = answers.map(comparable)
    for (const difference of differing(one, other, '')) found.push({ step, operation, ...difference })
    if (step % LIST_EVERY === 0 || step === steps) found.push(...(await listDifferences(options, step)))
  }
  return found
}

async function listDifferences({ left, right, playground }: ComparisonOptions, step: number): Promise<Difference[]> {
  const found: Difference[] = []
  for (const namespace of playground.namespaces)
    for (const kind of ['widgets', 'configmaps'] as const) {
      const path = collectionOf(playground.group, kind, namespace)
      const query = kind === 'configmaps' ? { fieldSelector: 'metadata.name!=kube-root-ca.crt' } : {}
      const [one, other] = (await Promise.all([left, right].map(api => api.get(path, query)))).map(comparable)
      for (const difference of differing(one, other, '')) found.push({ step, operation: 'list', ...difference })
    }
  return found
}

/** An answer without what is different on every server: identities, versions and times. */
function comparable({ status, body }: Answer): unknown {
  return { status, body: neutral(body, '') }
}

const UID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const TIMES = /^(creationTimestamp|deletionTimestamp|time)$/

function neutral(value: unknown, key: string): unknown {
  if (typeof value === 'string') return TIMES.test(key) ? 'TIME' : value.replaceAll(UID, 'UID')
  if (Array.isArray(value)) return value.map(member => neutral(member, ''))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      name === 'resourceVersion' ? [] : [[name, neutral(member, name)] as const],
    ),
  )
}

type Values = Pick<Difference, 'path' | 'left' | 'right'>

function differing(left: unknown, right: unknown, path: string): Values[] {
  if (isPlain(left) && isPlain(right)) {
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
    return names.flatMap(name => differing(left[name], right[name], path === '' ? name : `${path}.${name}`))
  }
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length)
    return left.flatMap((member, index) => differing(member, right[index], `${path}[${index}]`))
  return JSON.stringify(left) === JSON.stringify(right) ? [] : [{ path, left, right }]
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
