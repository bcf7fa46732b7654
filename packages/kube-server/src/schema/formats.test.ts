import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatCheck } from './formats.ts'
import { judge } from './sample.ts'

const samples: readonly (readonly [format: string, good: readonly string[], bad: readonly string[]])[] = [
  [
    'date-time',
    ['2020-01-02T03:04:05Z', '2020-01-02t03:04:05.123z', '2020-01-02T03:04:05+01:00'],
    [
      '2020',
      '',
      '2020-01-02',
      '2020-01-02T24:04:05Z',
      '2020-02-30T03:04:05Z',
      '2020-01-02T03:04:60Z',
      '2020-01-02T03:04:05',
    ],
  ],
  ['date', ['2020-02-29', '2000-02-29'], ['2021-02-29', '1900-02-29', '2020-1-2', '2020-13-01', '20200101', '']],
  [
    'duration',
    ['1h', '1h30m', '-1.5s', '+5m', '0', '.5s', '1us', '1µs', '3 days', '2 weeks 1 day', '10 Seconds', '1h 30m'],
    ['', '1', 'h', '1x', 'soon'],
  ],
  ['byte', ['aGVsbG8='], ['', 'a', 'a-_=', 'aGVsbG8']],
  ['ipv4', ['1.2.3.4', '01.2.3.4'], ['1.2.3', '1.2.3.256', '::1', '1.2.3.4.5']],
  [
    'ipv6',
    ['::1', '2001:db8::', '::', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'],
    ['1.2.3.4', '1::2::3', 'fe80::1%eth0', 'g::1', ':1'],
  ],
  ['cidr', ['10.0.0.0/8', '10.0.0.1/8', '::/0', '10.0.0.0/08'], ['10.0.0.0', '10.0.0.0/33', 'fe80::/129']],
  ['uuid', ['550e8400-e29b-41d4-a716-446655440000', '550E8400E29B41D4A716446655440000'], ['x', '550e8400']],
  ['uuid4', ['550e8400-e29b-41d4-a716-446655440000'], ['550e8400-e29b-11d4-a716-446655440000']],
  [
    'uri',
    ['http://a', 'https://a.b/c?d=e', '/x', 'a:b', 'mailto:a@b', 'http://[::1]:80/', 'http://u:p@h/', 'HTTP://A'],
    ['', 'x', 'http://a b', 'http://a:b/', 'http://a/%zz', '://x', 'http://a\u0001'],
  ],
  [
    'email',
    ['a@b', 'a@b.c', 'A <a@b>', '<a@b>', 'a@[1.2.3.4]', '"a b"@c'],
    ['a', '@b', 'a@', 'a b@c', 'a..b@c', 'a@b>'],
  ],
  [
    'hostname',
    ['a', 'a.b1', 'a-b', '1.22', 'a--b.cc', 'a'.repeat(63)],
    ['', '-a', 'a..bb', 'a_b', 'a.b-', 'a.b', 'a.b--c', 'a'.repeat(64), 'ab-c'],
  ],
  ['mac', ['00:00:5e:00:53:01', '00-00-5e-00-53-01', '0000.5e00.5301'], ['00:00:5e:00:53', 'x']],
  ['isbn', ['0321751043', '978-0321751041'], ['0321751044']],
  ['isbn10', ['0-321-75104-3'], ['978-0321751041']],
  ['isbn13', ['978-0321751041'], ['0321751043']],
  ['creditcard', ['4111 1111 1111 1111'], ['4111 1111 1111 1112']],
  ['ssn', ['123-45-6789'], ['123456789']],
  ['hexcolor', ['#FFF', 'FFFFFF'], ['FFFFF']],
  ['rgbcolor', ['rgb(1,2,3)'], ['rgb(1,2,333)']],
  ['bsonobjectid', ['507f1f77bcf86cd799439011'], ['x']],
  ['password', ['', 'anything'], []],
]

describe('formats', () => {
  for (const [format, good, bad] of samples)
    it(`${format} tells good from bad`, () => {
      const check = formatCheck(format)
      assert.ok(check)
      assert.deepEqual(
        good.filter(one => !check(one)),
        [],
      )
      assert.deepEqual(
        bad.filter(one => check(one)),
        [],
      )
    })

  it('hyphens in the name do not count', () => {
    assert.equal(formatCheck('datetime'), formatCheck('date-time'))
  })

  it('unknown formats and the widths of numbers are ignored', () => {
    for (const format of ['int32', 'int64', 'float', 'double', 'binary', 'nonsense'])
      assert.equal(formatCheck(format), undefined)
  })

  it('a bad value is a wrong type, named by the format', () => {
    assert.deepEqual(judge({ when: { type: 'string', format: 'date-time' } }, { when: '2020' }), [
      'TypeInvalid at spec.when: Invalid value: "2020": spec.when in body must be of type date-time: "2020"',
    ])
    assert.deepEqual(judge({ when: { type: 'string', format: 'date-time' } }, { when: 5 }), [
      'TypeInvalid at spec.when: Invalid value: "int64": spec.when in body must be of type date-time: "int64"',
    ])
  })

  it('endless input is refused without being read', () => {
    const endless = 'a'.repeat(1_000_000)
    for (const [format] of samples)
      if (format !== 'password' && format !== 'byte') assert.equal(formatCheck(format)?.(endless), false, format)
  })
})
