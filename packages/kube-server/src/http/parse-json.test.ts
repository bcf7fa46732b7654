import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from './parse-json.ts'
import { parseYaml } from './parse-yaml.ts'

test('any JSON value without repeated keys comes back as it was, with no duplicates', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), value => {
      const text = JSON.stringify(value)
      if (text.includes('__proto__')) return
      const decoded = parseJson(text)
      assert.deepEqual(decoded.value, JSON.parse(text))
      assert.deepEqual(decoded.duplicates, [])
    }),
  )
})

test('repeated keys are named with their whole path, each once', () => {
  assert.deepEqual(parseJson('{"a":1,"a":2}').duplicates, ['a'])
  assert.deepEqual(parseJson('{"a":[{"b":1},{"b":1,"c":{"d":1,"d":2,"d":3}}]}').duplicates, ['a[1].c.d'])
  assert.deepEqual(parseJson('{"a":{"x":1},"b":{"x":1}}').duplicates, [])
})

test('keys that look different but are the same are found, strings full of punctuation are not', () => {
  assert.deepEqual(parseJson('{"a":1,"\\u0061":2}').duplicates, ['a'])
  assert.deepEqual(parseJson('{"a":"{\\"a\\":1,\\"a\\":2}","b":"\\\\","c":":"}').duplicates, [])
})

test('__proto__ is refused wherever it stands and however it is written', () => {
  for (const text of ['{"__proto__":{}}', '{"a":[{"__proto__":1}]}', '{"\\u005f_proto__":{}}'])
    assert.throws(() => parseJson(text), /__proto__/)
  assert.throws(() => parseYaml('a: {__proto__: {b: 1}}'), /__proto__/)
})

test('nesting has a limit', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  assert.doesNotThrow(() => parseJson(nested(150)))
  assert.throws(() => parseJson(nested(5000)), /nesting exceeds/)
  assert.throws(() => parseYaml(nested(20_000)), /yaml parse error|nesting/)
})

test('numbers that JSON cannot hold are refused instead of becoming null', () => {
  for (const number of ['1e400', '-1e400']) assert.throws(() => parseJson(`{"a":[${number}]}`), /out of range/)
  for (const number of ['.inf', '-.inf', '.nan', '1e400'])
    assert.throws(() => parseYaml(`a: ${number}`), /a number that JSON does not know/)
})

test('half characters are replaced, whole ones written as two escapes stay', () => {
  const { value } = parseJson('{"\\ud800":"x\\udc00","pair":"\\ud83d\\ude00","plain":["\\uD9ab"]}')
  assert.deepEqual(value, { '\ufffd': 'x\ufffd', pair: '😀', plain: ['\ufffd'] })
  assert.deepEqual(parseYaml('a: "\\ud800"').value, { a: '\ufffd' })
})

test('YAML is read by the rules of version 1.1, except that times stay text', () => {
  const { value } = parseYaml('a: yes\nb: "no"\nc: 2001-01-01\nd: 0o7\ne: 010\nf: 1_000\n5: five\n')
  assert.deepEqual(value, { a: true, b: 'no', c: '2001-01-01', d: '0o7', e: 8, f: 1000, 5: 'five' })
})

test('repeated keys in YAML are named, wrong YAML is refused, aliases cannot explode', () => {
  assert.deepEqual(parseYaml('spec:\n  a: 1\n  a: 2\n').duplicates, ['spec.a'])
  assert.throws(() => parseYaml('a: [1'), /yaml parse error/)
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...[...'bcdefghi'].map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]},`.repeat(9)}]`),
  ]
  assert.throws(() => parseYaml(bomb.join('\n')), /yaml parse error/)
  const heavy = `a: &a "${'x'.repeat(500_000)}"\nb: [${'*a,'.repeat(19)}]`
  assert.throws(() => parseYaml(heavy), /aliases make it too long/)
  assert.deepEqual(parseYaml('a: &a {b: 1}\nc: *a').value, { a: { b: 1 }, c: { b: 1 } })
  assert.throws(() => parseYaml('# long\n'.repeat(200_000)), /more than 1048576 characters/)
})
