/**
 * Whether a party may do everything that a migration can ask of it, forward, back and cleaning up. It asks the API
 * server itself, which knows every way in which permissions are granted. Changes nothing.
 */
import { collectionPath, type KubeClient, type Resource, resources } from '@godwit/kube'
import type { Clock } from '@godwit/ports'
import type { PolicyRule } from '../rbac.ts'
import { type Permission, permissionsOf } from './permission.ts'

export interface PreflightOptions {
  readonly client: KubeClient
  readonly rules: readonly PolicyRule[]
  /** Where the rules are granted; absent: everywhere. */
  readonly namespace?: string
  /** Kinds that a server need not have: without them, their rules are not asked about. */
  readonly optional?: readonly Resource[]
  readonly clock: Clock
}

interface Review {
  readonly status?: { readonly allowed?: boolean }
}

/** Who may do everything is not asked again so soon; who may not is, because somebody is mending it. */
const GOOD_FOR_MS = 600_000
const AT_ONCE = 16

export class Preflight {
  readonly #options: PreflightOptions
  #goodUntilMs = Number.NEGATIVE_INFINITY
  #underWay: Promise<readonly Permission[]> | undefined

  constructor(options: PreflightOptions) {
    this.#options = options
  }

  /** @returns what is missing; empty when everything is allowed. Who asks meanwhile gets the same answer. */
  missing(): Promise<readonly Permission[]> {
    if (this.#options.clock.now() < this.#goodUntilMs) return Promise.resolve([])
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #ask(): Promise<readonly Permission[]> {
    const { rules, namespace, clock } = this.#options
    const wanted = await this.#served(permissionsOf(rules, namespace))
    const missing: Permission[] = []
    const queue = wanted.values()
    const ask = async () => {
      for (const permission of queue) if (!(await this.#isAllowed(permission))) missing.push(permission)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, ask))
    if (missing.length === 0) this.#goodUntilMs = clock.now() + GOOD_FOR_MS
    return wanted.filter(permission => missing.includes(permission))
  }

  async #served(wanted: readonly Permission[]): Promise<readonly Permission[]> {
    const { optional = [], client } = this.#options
    const absent = new Set<string>()
    for (const kind of optional) if (!(await client.serves(kind))) absent.add(`${kind.plural}.${kind.group}`)
    return wanted.filter(({ resource, group }) => !absent.has(`${resource}.${group}`))
  }

  async #isAllowed(permission: Permission): Promise<boolean> {
    const answer = await this.#options.client.post<object, Review>(collectionPath(resources.selfSubjectAccessReviews), {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: permission },
    })
    return answer.status?.allowed === true
  }
}
