import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PeerRefused, PeerUnreachable, type RemoteView } from './peer-site.ts'
import { type ViewAnswer, type ViewQuestion, ViewRequests } from './view-requests.ts'

const viewOf = (ownerEpoch: number): RemoteView => ({
  deployStatus: 'secondary',
  managementState: 'unmanaged',
  ownerEpoch,
  valuesVersion: {},
})

/** A site whose answers are given one after another, by hand. */
class Site {
  /** Of each request the regions, with the epochs; those of single ones are texts. */
  readonly asked: (string | readonly string[])[] = []
  readonly #open: (() => void)[] = []
  answers: (questions: readonly ViewQuestion[]) => ReadonlyMap<string, ViewAnswer> = questions =>
    new Map(questions.map(({ region, ownerEpoch = 0 }) => [region, { kind: 'view', view: viewOf(ownerEpoch) }]))
  readonly requests = new ViewRequests({
    one: async question => {
      this.asked.push(nameOf(question))
      await this.#gate()
      return viewOf(question.ownerEpoch ?? 0)
    },
    many: async questions => {
      this.asked.push(questions.map(nameOf))
      await this.#gate()
      return this.answers(questions)
    },
  })

  look = (region: string) => this.requests.ask({ region, ownerEpoch: undefined })
  standDown = (region: string, ownerEpoch: number) => this.requests.ask({ region, ownerEpoch })

  async answer(count = 1): Promise<void> {
    await settled()
    for (const open of this.#open.splice(0, count)) open()
    await settled()
  }

  #gate(): Promise<void> {
    return new Promise(resolve => this.#open.push(resolve))
  }
}

const nameOf = ({ region, ownerEpoch }: ViewQuestion) => (ownerEpoch === undefined ? region : `${region}=${ownerEpoch}`)
const settled = () => new Promise(resolve => setImmediate(resolve))

test('what is asked in the same moment goes in one request, and each is told its own', async () => {
  const site = new Site()
  const answers = Promise.all([site.look('a'), site.standDown('b', 7), site.look('c')])
  await site.answer()
  assert.deepEqual(site.asked, [['a', 'b=7', 'c']])
  assert.deepEqual(
    (await answers).map(({ ownerEpoch }) => ownerEpoch),
    [0, 7, 0],
  )
})

test('what is asked while requests are under way goes with the next one, and not with one that was sent before', async () => {
  const site = new Site()
  const all = [site.look('a')]
  await settled()
  all.push(site.look('b'))
  await settled()
  for (const region of ['c', 'd', 'e']) all.push(site.look(region))
  await settled()
  assert.deepEqual(site.asked, ['a', 'b'])
  await site.answer()
  assert.deepEqual(site.asked, ['a', 'b', ['c', 'd', 'e']])
  await site.answer(2)
  await Promise.all(all)
})

test('two questions about one subcloud are two requests', async () => {
  const site = new Site()
  const all = [site.look('a'), site.standDown('a', 3), site.look('b')]
  await site.answer()
  await site.answer()
  assert.deepEqual(site.asked, [['a', 'b'], 'a=3'])
  assert.deepEqual(
    (await Promise.all(all)).map(({ ownerEpoch }) => ownerEpoch),
    [0, 3, 0],
  )
})

test("one that is refused, or left out, or could not be answered at the moment, is nobody else's error", async () => {
  const site = new Site()
  site.answers = () =>
    new Map<string, ViewAnswer>([
      ['a', { kind: 'view', view: viewOf(1) }],
      ['b', { kind: 'refused', status: 404, message: 'Subcloud not found' }],
      ['c', { kind: 'refused', status: 503, message: 'try again' }],
    ])
  const answers = Promise.allSettled(['a', 'b', 'c', 'd'].map(site.look))
  await site.answer()
  const [a, b, c, d] = (await answers).map(each => (each.status === 'rejected' ? each.reason : each.value))
  assert.deepEqual(a, viewOf(1))
  assert.ok(b instanceof PeerRefused && b.status === 404)
  assert.ok(c instanceof PeerUnreachable && c.message === 'try again')
  assert.ok(d instanceof PeerUnreachable)
})

test('a site that knows no such request is asked one by one from then on', async () => {
  const site = new Site()
  site.answers = () => {
    throw new PeerRefused(404, 'There is no such resource')
  }
  const answers = Promise.all(['a', 'b'].map(site.look))
  await site.answer()
  await site.answer(2)
  assert.equal((await answers).length, 2)
  const later = Promise.all(['c', 'd', 'e'].map(site.look))
  await site.answer(3)
  assert.equal((await later).length, 3)
  assert.deepEqual(site.asked, [['a', 'b'], 'a', 'b', 'c', 'd', 'e'])
})

test('no answer is an error of all that were asked, and of nobody who asks later', async () => {
  const site = new Site()
  const answers = site.answers
  site.answers = () => {
    throw new PeerUnreachable('no answer')
  }
  const both = Promise.allSettled(['a', 'b'].map(site.look))
  await site.answer()
  assert.deepEqual(
    (await both).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  site.answers = answers
  const later = Promise.all(['a', 'b'].map(site.look))
  await site.answer()
  assert.equal((await later).length, 2)
})

test('a great many go in several requests', async () => {
  const site = new Site()
  const all = Array.from({ length: 250 }, (_, index) => site.look(`r${index}`))
  await site.answer(1)
  await site.answer(1)
  await site.answer(1)
  await Promise.all(all)
  assert.deepEqual(
    site.asked.map(({ length }) => length),
    [100, 100, 50],
  )
})
