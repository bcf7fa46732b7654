/** Keeps the rules of aggregated ClusterRoles equal to those of the roles their selectors find. */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import type { Store, Stored, StoreEvent } from '../store/types.ts'
import { clusterRoleCollection, objectOf } from './rbac-objects.ts'

type Labels = Readonly<Record<string, string>>

function expressionMatches(expression: JsonObject, labels: Labels): boolean {
  const { key, operator, values } = expression
  if (typeof key !== 'string') return false
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  const list: readonly Json[] = Array.isArray(values) ? values : []
  switch (operator) {
    case 'In':
      return value !== undefined && list.includes(value)
    case 'NotIn':
      return value === undefined || !list.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}

function selectorMatches(selector: JsonObject, labels: Labels): boolean {
  const { matchExpressions } = selector
  const expressions = Array.isArray(matchExpressions) ? matchExpressions : []
  return (
    Object.entries(objectOf(selector['matchLabels'])).every(([key, value]) => labels[key] === value) &&
    expressions.every(expression => expressionMatches(objectOf(expression), labels))
  )
}

const selectorsOf = (role: JsonObject): Json[] => {
  const selectors = objectOf(role['aggregationRule'])['clusterRoleSelectors']
  return Array.isArray(selectors) ? selectors : []
}

/** Rules an aggregated role should have: those of all other roles its selectors find, by name, each once. */
export function aggregatedRules(role: Stored, all: Iterable<Stored>): Json[] {
  const others = [...all].filter(({ key }) => key.name !== role.key.name)
  const sorted = others.sort((a, b) => (a.key.name < b.key.name ? -1 : 1))
  const rules: Json[] = []
  const seen = new Set<string>()
  for (const selector of selectorsOf(role.object)) {
    for (const { object } of sorted) {
      if (!selectorMatches(objectOf(selector), object.metadata.labels ?? {})) continue
      for (const rule of Array.isArray(object['rules']) ? object['rules'] : []) {
        const text = JSON.stringify(rule)
        if (!seen.has(text)) rules.push(rule)
        seen.add(text)
      }
    }
  }
  return rules
}

/** Writes new rules into one role. Called only where they differ. */
export type WriteRules = (role: Stored, rules: Json[]) => Promise<unknown>

/** Writes straight into the store, unless the role changed meanwhile: its own event brings the controller back. */
export const writeRulesTo =
  (store: Store): WriteRules =>
  (role, rules) =>
    store.mutate(role.key, current =>
      current?.version === role.version ? { put: { ...current.object, rules } } : { unchanged: current },
    )

const isAggregated = (role: JsonObject | undefined) => role !== undefined && role['aggregationRule'] !== undefined

/**
 * Follows all ClusterRoles. One pass at a time; changes during a pass cause one more. A change that no aggregated role
 * can notice costs a look at its labels only: a hub has thousands of roles that nobody aggregates.
 */
export class RoleAggregation {
  readonly #store: Store
  readonly #write: WriteRules
  readonly #onError: (error: unknown) => void
  readonly #stop: () => void
  /** Selectors of the aggregated roles, by name of the role. */
  readonly #selectors = new Map<string, Json[]>()
  #isDirty = false
  #isStopped = false
  #running: Promise<void> | undefined

  constructor(store: Store, onError: (error: unknown) => void, write: WriteRules = writeRulesTo(store)) {
    this.#store = store
    this.#write = write
    this.#onError = onError
    for (const stored of store.scan(clusterRoleCollection)) this.#remember(stored)
    this.#stop = store.watch(clusterRoleCollection, undefined, event => this.#onEvent(event))
    this.#wake()
  }

  /** Resolves when all rules are as they should be, for what has been published so far; undefined: they are. */
  idle(): Promise<void> | undefined {
    return this.#running && this.#settled()
  }

  /** Follows no longer; resolves when the last write is done. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#stop()
    await this.idle()
  }

  async #settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  #onEvent({ type, stored, previous }: StoreEvent): void {
    if (type === 'DELETED') this.#selectors.delete(stored.key.name)
    else this.#remember(stored)
    const states = [stored.object, previous?.object]
    if (states.some(isAggregated) || states.some(state => this.#isSelected(state))) this.#wake()
  }

  #remember({ key, object }: Stored): void {
    if (isAggregated(object)) this.#selectors.set(key.name, selectorsOf(object))
    else this.#selectors.delete(key.name)
  }

  #isSelected(role: KubeObject | undefined): boolean {
    if (role === undefined) return false
    const labels = role.metadata.labels ?? {}
    for (const selectors of this.#selectors.values()) {
      if (selectors.some(selector => selectorMatches(objectOf(selector), labels))) return true
    }
    return false
  }

  #wake(): void {
    this.#isDirty = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#isDirty && !this.#isStopped) this.#wake()
    })
  }

  async #run(): Promise<void> {
    // Let a burst of changes (the default policy, a whole set of roles) become one pass.
    await Promise.resolve()
    while (this.#isDirty && !this.#isStopped) {
      this.#isDirty = false
      await this.#pass()
    }
  }

  async #pass(): Promise<void> {
    const all = [...this.#store.scan(clusterRoleCollection)]
    for (const role of all) {
      if (!this.#selectors.has(role.key.name)) continue
      const rules = aggregatedRules(role, all)
      if (isDeepStrictEqual(role.object['rules'] ?? [], rules)) continue
      try {
        await this.#write(role, rules)
      } catch (error) {
        // Reported, and met again with the next change: a broken store must not end the process.
        this.#onError(error)
      }
    }
  }
}
