import type { Informer, KubeClient } from '@godwit/kube'
import { godwit, type MigrationTask } from '../api/index.ts'
import { Newest } from './newest.ts'

/** MigrationTasks as last seen or written by this process, and the two ways to write them. */
export class TaskCache extends Newest<MigrationTask> {
  readonly #client: KubeClient

  constructor(informer: Informer<MigrationTask>, client: KubeClient) {
    super(informer)
    this.#client = client
  }

  /** The agent's way. Refused with 409 when anybody wrote the task since `task` was read (law 7). */
  async patchStatus(task: MigrationTask, status: object): Promise<MigrationTask> {
    const { resourceVersion = '', uid = '' } = task.metadata
    const options = { subresource: 'status', precondition: { resourceVersion, uid } }
    return this.wrote(await this.#client.patch<MigrationTask>(godwit.tasks, task.metadata, { status }, options))
  }

  /**
   * Whether the record still is what `task` says. A process that stood still for a while would act upon what it knew
   * then: who did not write the record just now, which would have been refused, asks before it acts.
   */
  async isCurrent({ metadata }: MigrationTask): Promise<boolean> {
    const live = await this.#client.get<MigrationTask>(godwit.tasks, metadata)
    return live?.metadata.uid === metadata.uid && live?.metadata.resourceVersion === metadata.resourceVersion
  }

  /**
   * The controller's way; `spec` carries its epoch, and the API refuses one that is lower than the task's. Status
   * writes of the agent do not get in the way, because nobody else writes spec.
   */
  async patchSpec(
    task: MigrationTask,
    spec: { readonly epoch: number; readonly [member: string]: unknown },
  ): Promise<MigrationTask> {
    const { uid = '' } = task.metadata
    return this.wrote(
      await this.#client.patch<MigrationTask>(godwit.tasks, task.metadata, { spec }, { precondition: { uid } }),
    )
  }
}
