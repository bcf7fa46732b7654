import assert from 'node:assert/strict'
import { test } from 'node:test'
import { regenerate } from './sections.ts'

const generators = { states: async () => '| state |\n', errors: async () => 'none' }
const page = (body: string) => `# Title\n\n<!-- generated:states -->\n${body}<!-- /generated -->\n\nby hand\n`

test('a page whose sections are fresh stays as it is', async () => {
  const text = page('| state |\n')
  assert.deepEqual(await regenerate(text, generators), { text, stale: [], names: ['states'] })
})

test('a stale section is named and made anew, the rest stays', async () => {
  for (const old of ['', '| other |\n', '| state |\n\n'])
    assert.deepEqual(await regenerate(page(old), generators), {
      text: page('| state |\n'),
      stale: ['states'],
      names: ['states'],
    })
})

test('several sections of a page are told apart', async () => {
  const text = `${page('x\n')}<!-- generated:errors -->\nnone\n<!-- /generated -->\n`
  const { stale, names } = await regenerate(text, generators)
  assert.deepEqual({ stale, names }, { stale: ['states'], names: ['states', 'errors'] })
})

test('a section without a generator is an error', async () => {
  await assert.rejects(regenerate(page(''), {}), /section states has no generator/)
})

test('a mark without its counterpart is an error', async () => {
  await assert.rejects(regenerate('<!-- generated:states -->\n', generators), /stands alone/)
  await assert.rejects(regenerate(`${page('')}<!-- /generated -->\n`, generators), /stands alone/)
})
