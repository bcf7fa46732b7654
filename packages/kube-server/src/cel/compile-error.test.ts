import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allFail, outcome } from './sample.ts'

const at = (column: number, complaint: string, source: string) =>
  `rule compile error: compilation failed: ERROR: <input>:1:${column}: ${complaint}\n | ${source}\n | ${'.'.repeat(column - 1)}^`

const located = (source: string, column: number, complaint: string) => [source, at(column, complaint, source)] as const

allFail('rules that do not compile', [
  located('self.nope', 5, "undefined field 'nope'"),
  located('has(self.nope)', 4, "undefined field 'nope'"),
  located('self.objects.exists(q, q.y == 1)', 25, "undefined field 'y'"),
  located('self.open.q == 1', 10, "undefined field 'q'"),
  located('self.inner.metadata.labels == {}', 20, "undefined field 'labels'"),
  located('bar > 1', 1, "undeclared reference to 'bar' (in container '')"),
  located('foo(self.n)', 4, "undeclared reference to 'foo' (in container '')"),
  located('self.n.foo()', 11, "undeclared reference to 'foo' (in container '')"),
  located("self.n > 'a'", 8, "found no matching overload for '_>_' applied to '(int, string)'"),
  located('self.n + 1.0 == 2.0', 8, "found no matching overload for '_+_' applied to '(int, double)'"),
  located('self.n == 1.0', 8, "found no matching overload for '_==_' applied to '(int, double)'"),
  located('self.s.startsWith(1)', 18, "found no matching overload for 'startsWith' applied to 'string.(int)'"),
  ['self.n', 'rule compile error: cel expression must evaluate to a bool'],
  ['self.either', 'rule compile error: cel expression must evaluate to a bool'],
  ['self.n >', 'rule compile error: compilation failed: ERROR: <input>:1:'],
  ['', 'rule compile error: compilation failed: ERROR: <input>:1:'],
  ["[1, 'a'].size() == 2", "expected type 'int' but found 'string'"],
  ["{'a': 1, 'b': 'c'}.size() == 2", "expected type 'int' but found 'string'"],
])

allFail('fields and keys that cannot be there', [
  located('self.?nope.hasValue()', 5, "undefined field 'nope'"),
  located('self.?objects[0].?nope.hasValue()', 17, "undefined field 'nope'"),
  located('self.?nothing.nope.hasValue()', 14, "undefined field 'nope'"),
  located('self.n.x == 1', 7, "type 'int' does not support field selection"),
  located('self.when.x == 1', 10, "type 'timestamp' does not support field selection"),
  located('self.list.x == 1', 10, "type 'list(int)' does not support field selection"),
  located('self.?n.?x.hasValue()', 8, "type 'int' does not support field selection"),
  located('has(self.n.x)', 4, "type 'int' does not support field selection"),
  located('has(self.when.x)', 4, "type 'timestamp' does not support field selection"),
  located('self.n[0] == 1', 7, "found no matching overload for '_[_]' applied to '(int, int)'"),
  located("self.list['a'] == 1", 10, "found no matching overload for '_[_]' applied to '(list(int), string)'"),
  located("self.map[1] == ''", 9, "found no matching overload for '_[_]' applied to '(map(string, string), int)'"),
  located('has(self)', 5, 'invalid argument to has() macro'),
])

allFail('functions of other dialects', [
  ['cel.bind(x, 1, x == 1)', "undeclared reference to 'cel'"],
  ["self.s.reverse() == ''", "undeclared reference to 'reverse'"],
  ['math.greatest(1, 2) == 2', "undeclared reference to 'math'"],
  ['self.list.sortBy(x, x) == [1]', "undeclared reference to 'x'"],
  ["self.s.json() == ''", "undeclared reference to 'json'"],
])

/** `x op x op x …` */
const chain = (length: number, operator: string, operand: string) => Array(length).fill(operand).join(operator)

describe('rules of any size and depth', () => {
  for (const [rule, complaint] of [
    [`${'('.repeat(50)}true${')'.repeat(50)}`, 'holds'],
    [`${'!'.repeat(100)}true`, 'holds'],
    [chain(200, ' && ', 'true'), 'holds'],
    [`${chain(200, ' + ', '1')} == 200`, 'holds'],
    [`${'('.repeat(40_000)}true${')'.repeat(40_000)}`, 'Exceeded maxDepth'],
    [`${'!'.repeat(50_000)}true`, 'max recursion depth exceeded'],
    [`${'-'.repeat(50_000)}1 == 1`, 'max recursion depth exceeded'],
    [chain(4_000, ' && ', 'true'), 'max recursion depth exceeded'],
    [chain(4_000, ' == ', 'true'), 'max recursion depth exceeded'],
    [chain(5_000, ' && ', 'self.n == 3'), 'Exceeded maxAstNodes'],
    ['['.repeat(9_000), 'Exceeded maxDepth'],
    ['x'.repeat(200_000), 'expression code point size exceeds limit: size: 200000, limit 100000'],
  ] as const)
    it(`${rule.slice(0, 20)}… (${rule.length} characters): ${complaint}`, () => {
      const found = outcome(rule)
      assert.ok(found.includes(complaint), found.slice(0, 300))
    })
})
