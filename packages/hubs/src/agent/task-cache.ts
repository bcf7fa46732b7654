import type { Informer, KubeClient } from '@godwit/kube'
import { godwit, type MigrationTask, type TaskStatus } from '../api/index.ts'

const versionOf = (task: MigrationTask | undefined) => BigInt(task?.metadata.resourceVersion ?? 0)

/**
 * The newest state of each task that this process has seen: an informer lags behind one's own writes, and deciding on
 * an older record would repeat work. Versions are compared within one server only.
 */
export class TaskCache {
  readonly #informer: Informer<MigrationTask>
  readonly #client: KubeClient
  readonly #written = new Map<string, MigrationTask>()

  constructor(informer: Informer<MigrationTask>, client: KubeClient) {
    this.#informer = informer
    this.#client = client
  }

  get(ref: { readonly name: string; readonly namespace: string }): MigrationTask | undefined {
    const seen = this.#informer.get(ref)
    const key = `${ref.namespace}/${ref.name}`
    const written = this.#written.get(key)
    if (!written) return seen
    if (seen && seen.metadata.uid === written.metadata.uid && versionOf(seen) < versionOf(written)) return written
    this.#written.delete(key)
    return seen
  }

  list(namespace?: string): MigrationTask[] {
    const tasks = this.#informer.list(namespace)
    return tasks.flatMap(({ metadata: { name, namespace: of = '' } }) => this.get({ name, namespace: of }) ?? [])
  }

  /** Refused with 409 when somebody wrote the task since `task` was read (law 7). */
  async patchStatus(task: MigrationTask, status: object): Promise<MigrationTask> {
    return this.#patch(task, { status }, 'status')
  }

  async patchSpec(task: MigrationTask, spec: object): Promise<MigrationTask> {
    return this.#patch(task, { spec }, undefined)
  }

  async #patch(
    task: MigrationTask,
    body: { readonly spec?: object; readonly status?: object },
    subresource?: 'status',
  ) {
    const { name, namespace = '', resourceVersion = '' } = task.metadata
    const options = { precondition: { resourceVersion }, ...(subresource && { subresource }) }
    const written = await this.#client.patch<MigrationTask>(godwit.tasks, { name, namespace }, body, options)
    this.#written.set(`${namespace}/${name}`, written)
    return written
  }
}

export type StatusPatch = { readonly [member in keyof TaskStatus]?: unknown }
