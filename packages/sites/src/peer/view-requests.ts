/**
 * Questions about subclouds of one site that are asked at the same time go in one request. Each is sent after it was
 * asked, so that its answer is as fresh as that of a request of its own; a site that does not know such requests gets those.
 */
import { PeerRefused, PeerUnreachable, type RemoteView } from './peer-site.ts'

export interface ViewQuestion {
  readonly region: string
  /** The site is to stand down for it; undefined: a look. */
  readonly ownerEpoch: number | undefined
}

export type ViewAnswer =
  | { readonly kind: 'view'; readonly view: RemoteView }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }

export interface ViewCalls {
  /** One question, by a call that every site knows. */
  one(question: ViewQuestion): Promise<RemoteView>
  /** By region; one that is missing was not answered. @throws PeerRefused when the site does not know the call */
  many(questions: readonly ViewQuestion[]): Promise<ReadonlyMap<string, ViewAnswer>>
}

interface Waiting extends ViewQuestion {
  resolve(view: RemoteView): void
  reject(error: unknown): void
}

/** While so many are under way, further questions gather. */
const AT_ONCE = 2
const MAX_QUESTIONS = 100

export class ViewRequests {
  readonly #calls: ViewCalls
  #waiting: Waiting[] = []
  #underWay = 0
  #isGathering = false
  #isOneByOne = false

  constructor(calls: ViewCalls) {
    this.#calls = calls
  }

  /** @throws PeerRefused as the call for one would; PeerUnreachable when there is no answer */
  ask(question: ViewQuestion): Promise<RemoteView> {
    if (this.#isOneByOne) return this.#calls.one(question)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...question, resolve, reject })
      void this.#send()
    })
  }

  async #send(): Promise<void> {
    if (this.#isGathering || this.#underWay >= AT_ONCE) return
    this.#isGathering = true
    // Whoever goes on for the same reason asks in the same moment.
    await undefined
    this.#isGathering = false
    const questions = this.#taken()
    if (questions.length === 0) return
    this.#underWay++
    await this.#answer(questions)
    this.#underWay--
    void this.#send()
  }

  /** No two of one subcloud: whose answer is whose would not be known. */
  #taken(): readonly Waiting[] {
    const taken = new Map<string, Waiting>()
    const left: Waiting[] = []
    for (const each of this.#waiting)
      if (taken.size < MAX_QUESTIONS && !taken.has(each.region)) taken.set(each.region, each)
      else left.push(each)
    this.#waiting = left
    return [...taken.values()]
  }

  /** Never rejects: each is told for itself. */
  async #answer(questions: readonly Waiting[]): Promise<void> {
    const [only] = questions
    if (this.#isOneByOne || (only && questions.length === 1)) return await this.#oneByOne(questions)
    try {
      const answers = await this.#calls.many(questions)
      for (const each of questions) settle(each, answers.get(each.region))
    } catch (error) {
      if (!(error instanceof PeerRefused)) {
        for (const { reject } of questions) reject(error)
        return
      }
      // It answers no such requests at all: what it says of one subcloud it says in its answer.
      this.#isOneByOne = true
      await this.#oneByOne(questions)
    }
  }

  async #oneByOne(questions: readonly Waiting[]): Promise<void> {
    await Promise.all(questions.map(each => this.#calls.one(each).then(each.resolve, each.reject)))
  }
}

function settle({ region, resolve, reject }: Waiting, answer: ViewAnswer | undefined): void {
  if (answer?.kind === 'view') resolve(answer.view)
  else if (answer?.kind === 'refused' && answer.status >= 400 && answer.status < 500)
    reject(new PeerRefused(answer.status, answer.message))
  else reject(new PeerUnreachable(answer?.message ?? `the peer site says nothing about ${region}`))
}
