/** The load of the crash tests as requests over HTTP. */
import type { Transport } from '../src/index.ts'
import { type Answer, Api, type Body } from './api.ts'
import type { CrashTarget } from './crash-load.ts'
import { Replayer } from './replayer.ts'

const collection = '/api/v1/namespaces/crash/configmaps'

/** A server that answers with an error has broken its word; one that does not answer was killed. */
export class HttpCrashTarget implements CrashTarget {
  readonly #api: Api
  readonly #removals = new Map<string, PromiseWithResolvers<number>>()
  readonly #watcher: Replayer
  #inFlight = 0

  constructor(transport: Transport) {
    this.#api = new Api(transport)
    const onEvent = ({ type, object }: { readonly type: string; readonly object: Body }) => {
      if (type === 'DELETED') this.#removal(object.metadata.uid).resolve(Number(object.metadata.resourceVersion))
    }
    const random = { next: () => 0.5 }
    this.#watcher = new Replayer({ transport, path: collection, random, onEvent })
  }

  /** Requests without an answer yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  put(name: string, value: string): Promise<number> {
    return this.#counted(async () => {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } }
      const query = { fieldManager: 'load', force: 'true' }
      return versionOf(must(await this.#api.apply(`${collection}/${name}`, body, query)))
    })
  }

  /** The answer to a delete has no version: the watch tells it. */
  remove(name: string): Promise<number> {
    return this.#counted(async () => {
      const { body } = must(await this.#api.delete(`${collection}/${name}`))
      return await Promise.race([this.#removal(String(body.details['uid'])).promise, this.#broken()])
    })
  }

  increment(name: string): Promise<number> {
    return this.#counted(async () => {
      for (;;) {
        const answer = await this.#incrementOnce(name)
        if (answer.status !== 409) return versionOf(must(answer))
      }
    })
  }

  async stop(): Promise<void> {
    await this.#watcher.stop().catch(() => undefined)
  }

  async #incrementOnce(name: string): Promise<Answer> {
    const { status, body } = await this.#api.get(`${collection}/${name}`)
    if (status === 404) return this.#api.send('POST', collection, { metadata: { name }, data: { value: '1' } })
    const data = { value: String(Number(body.data['value']) + 1) }
    return this.#api.send('PUT', `${collection}/${name}`, { ...body, data })
  }

  #removal(uid: string): PromiseWithResolvers<number> {
    const known = this.#removals.get(uid) ?? Promise.withResolvers<number>()
    this.#removals.set(uid, known)
    return known
  }

  /** Rejects once the connection of the watch is gone. */
  async #broken(): Promise<never> {
    for (;;) {
      await this.#api.get('/readyz')
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  async #counted<T>(run: () => Promise<T>): Promise<T> {
    this.#inFlight++
    try {
      return await run()
    } finally {
      this.#inFlight--
    }
  }
}

function must(answer: Answer): Answer {
  if (answer.status >= 300) throw new Error(`the server answered ${answer.status}: ${answer.text}`)
  return answer
}

const versionOf = ({ body }: Answer) => Number(body.metadata.resourceVersion)
