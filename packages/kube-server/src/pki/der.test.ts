import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bitString,
  DerError,
  type DerValue,
  encode,
  objectId,
  octetString,
  readMembers,
  readObjectId,
  readWhole,
  sequence,
  Tag,
  unsignedInteger,
} from './der.ts'

test('lengths take the short form below 128 and the long form from there', () => {
  assert.deepEqual([...octetString(Buffer.alloc(127)).subarray(0, 2)], [0x04, 0x7f])
  assert.deepEqual([...octetString(Buffer.alloc(128)).subarray(0, 3)], [0x04, 0x81, 0x80])
  assert.deepEqual([...octetString(Buffer.alloc(65_536)).subarray(0, 5)], [0x04, 0x83, 0x01, 0x00, 0x00])
})

test('unsigned integers are minimal and stay positive', () => {
  assert.deepEqual([...unsignedInteger(Buffer.from([0, 0, 5]))], [0x02, 1, 5])
  assert.deepEqual([...unsignedInteger(Buffer.from([0x80]))], [0x02, 2, 0, 0x80])
  assert.deepEqual([...unsignedInteger(Buffer.from([0]))], [0x02, 1, 0])
})

test('object identifiers come back as written', () => {
  for (const id of ['2.5.4.3', '1.2.840.113549.1.1.11', '1.3.6.1.5.5.7.3.2', '0.9.2342', '2.999.1']) {
    assert.equal(readObjectId(readWhole(objectId(id))), id)
  }
})

test('nested values come back as written', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), contents => {
      const whole = readWhole(sequence(...contents.map(content => octetString(Buffer.from(content)))))
      assert.deepEqual(
        readMembers(whole).map(member => [...member.content]),
        contents.map(content => [...content]),
      )
    }),
  )
})

const malformed: readonly [string, readonly number[]][] = [
  ['nothing', []],
  ['a tag without length', [0x30]],
  ['the indefinite length', [0x30, 0x80, 0, 0]],
  ['a length of five bytes', [0x30, 0x85, 0, 0, 0, 0, 1, 0]],
  ['a cut length', [0x30, 0x82, 1]],
  ['a length beyond the end', [0x30, 5, 1, 2]],
  ['a tag number above 30', [0x1f, 0x81, 1, 0]],
  ['bytes after the end', [0x30, 0, 0]],
]

for (const [what, bytes] of malformed) {
  test(`${what} is not read`, () => {
    assert.throws(() => readWhole(Buffer.from(bytes)), DerError)
  })
}

test('a member longer than its container is not read', () => {
  const broken = encode(Tag.sequence, Buffer.from([0x04, 10, 1]))
  assert.throws(() => readMembers(readWhole(broken)), DerError)
})

function walk(value: DerValue, depth = 0): void {
  if ((value.tag & 0x20) === 0 || depth > 50) return
  for (const member of readMembers(value)) walk(member, depth + 1)
}

test('random bytes are read or refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      try {
        walk(readWhole(bitString(Buffer.from(bytes))))
        walk(readWhole(Buffer.from(bytes)))
      } catch (error) {
        assert.ok(error instanceof DerError, `not a DerError: ${error}`)
      }
    }),
    { numRuns: 2000 },
  )
})
