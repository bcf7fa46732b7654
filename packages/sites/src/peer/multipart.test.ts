import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multipartBody } from './multipart.ts'

test('what was put into a form is read out of it by a parser that is not ours', async () => {
  const values = 'name: s1\nnote: "--godwit"\r\n--x--\r\n'
  const { contentType, body } = multipartBody({
    fields: { secondary: 'true', location: 'über "all"' },
    files: { bootstrap_values: values },
  })
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  assert.deepEqual([form.get('secondary'), form.get('location')], ['true', 'über "all"'])
  const file = form.get('bootstrap_values')
  assert.ok(file instanceof File)
  assert.equal(await file.text(), values)
})

test('a form without parts is a body still', async () => {
  const { contentType, body } = multipartBody({ fields: {}, files: {} })
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  assert.deepEqual([...form.keys()], [])
})
