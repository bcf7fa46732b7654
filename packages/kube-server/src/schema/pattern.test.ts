import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compilePattern, maxMatchWork, type Pattern, PatternError } from './pattern.ts'
import { judge } from './sample.ts'

const matches = (pattern: string, text: string) => compilePattern(pattern).test(text)

const find = (pattern: Pattern, text: string, limit: number) => pattern.find(text, limit, () => {})

describe('patterns mean what they mean in RE2', () => {
  for (const [pattern, good, bad] of [
    ['b', 'abc', 'ac'],
    ['^a.c$', 'abc', 'abcd'],
    ['^.$', '𝒳', 'xy'],
    ['^\\pL+$', 'éλ', 'é1'],
    ['^[[:alpha:]]+$', 'abc', 'a1'],
    ['^(?i)abc$', 'ABC', 'abd'],
    ['^(?P<name>a|b)+$', 'abba', 'abc'],
    ['\\Aa\\z', 'a', 'a\n'],
    ['^\\d$', '5', '٥'],
    ['^a$', 'a', 'b\na'],
    ['(?m)^a$', 'b\na', 'ba'],
    ['^\\x{1D4B3}$', '𝒳', 'X'],
    ['^a{2,3}$', 'aaa', 'a'],
    ['^\\Qa.b\\E$', 'a.b', 'axb'],
  ] as const)
    it(`${pattern} matches ${JSON.stringify(good)} but not ${JSON.stringify(bad)}`, () => {
      assert.equal(matches(pattern, good), true)
      assert.equal(matches(pattern, bad), false)
    })

  it('finds matches leftmost first, without overlap, up to a limit', () => {
    const pattern = compilePattern('[0-9]+')
    assert.deepEqual(find(pattern, 'a1b22c333', 10), ['1', '22', '333'])
    assert.deepEqual(find(pattern, 'a1b22c333', 2), ['1', '22'])
    assert.deepEqual(find(pattern, 'abc', 10), [])
  })

  it('finds empty matches, but not right after another match', () => {
    assert.deepEqual(find(compilePattern('[0-9]*'), 'a1', 10), ['', '1'])
    assert.deepEqual(find(compilePattern('a*'), 'aab', 10), ['aa', ''])
    assert.deepEqual(find(compilePattern('x*'), 'é𝒳b', 10), ['', '', '', ''])
  })
})

describe('patterns that are no RE2', () => {
  for (const [pattern, why] of [
    ['(', /missing closing \)/],
    ['(?=a)', /invalid or unsupported Perl syntax/],
    ['(?<!a)b', /invalid named capture/],
    ['(a)\\1', /invalid escape sequence/],
    ['[b-a]', /invalid character class range/],
    ['a**', /invalid nested repetition operator/],
    ['\\', /trailing backslash/],
  ] as const)
    it(`${pattern} is refused`, () => {
      assert.throws(
        () => compilePattern(pattern),
        (error: unknown) => error instanceof PatternError && why.test(error.message),
      )
    })
})

describe('hostile patterns', () => {
  // Each of these takes a backtracking matcher longer than anyone would wait.
  for (const pattern of [
    '^(a+)+$',
    '^(a|aa)+$',
    '^(a|a)*$',
    '(.*)*x',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(a*)*b',
    '(x+x+)+y',
  ])
    it(`${pattern} answers`, () => {
      assert.equal(matches(pattern, `${'a'.repeat(10_000)}!`), false)
    })

  for (const pattern of ['((a{100}){10}){10}', '(a|b){1000}(c|d){1000}', 'a'.repeat(20_000), '('.repeat(5_000)])
    it(`${pattern.slice(0, 24)} (${pattern.length} characters) is refused before it is run`, () => {
      assert.throws(() => compilePattern(pattern), PatternError)
    })

  it('A match that could take too long is refused', () => {
    const pattern = compilePattern('[ab]*a[ab]{500}c')
    const text = 'ab'.repeat(maxMatchWork / pattern.size)
    assert.throws(() => pattern.test(text), PatternError)
    assert.throws(() => find(pattern, text, 1), PatternError)
  })

  it('Work that grows with the square of the text is charged before it is done', () => {
    const pattern = compilePattern('.*x|a')
    const charged: number[] = []
    assert.equal(pattern.find('a'.repeat(100), 100, work => charged.push(work)).length, 100)
    assert.equal(charged.length, 100)
    assert.ok(charged.reduce((sum, work) => sum + work) >= (100 * 100 * pattern.size) / 2)
    const stop = () => {
      throw new RangeError('enough')
    }
    assert.throws(() => pattern.find('a', 1, stop), RangeError)
  })

  it('A schema refuses the value that it cannot afford to match', () => {
    const [cause = ''] = judge({ a: { type: 'string', pattern: '[ab]*a[ab]{500}c' } }, { a: 'ab'.repeat(15_000) })
    assert.match(cause, /^Invalid at spec\.a: .*text too long for this expression/s)
  })
})
