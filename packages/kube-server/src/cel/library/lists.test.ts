import { allFail, allHold } from '../sample.ts'

allHold('sums and extremes', [
  'self.list.sum() == 6 && [1.5, 2.0].sum() == 3.5 && [].sum() == 0',
  "[duration('1h'), duration('30m')].sum() == self.span",
  "self.list.min() == 1 && self.list.max() == 3 && ['b', 'a'].max() == 'b' && [true, false].min() == false",
  "[self.when, timestamp('2020-01-01T00:00:00Z')].min() == timestamp('2020-01-01T00:00:00Z')",
])

allFail('extremes of nothing', [
  ['[].min() == 0', 'min called on empty list'],
  ['[].max() == 0', 'max called on empty list'],
])

allHold('order and places', [
  "self.list.isSorted() && self.names.isSorted() && !['b', 'a'].isSorted() && [].isSorted()",
  'self.list.indexOf(2) == 1 && self.list.lastIndexOf(9) == -1 && [1, 2, 1].lastIndexOf(1) == 2',
])

allHold('macros', [
  'self.list.map(x, x * 2) == [2, 4, 6] && self.list.map(x, x > 1, x * 2) == [4, 6]',
  'self.list.filter(x, x > 1) == [2, 3]',
  'self.list.all(x, x > 0) && self.list.exists(x, x == 3) && self.list.exists_one(x, x == 3)',
  "self.names.exists(a, self.names.exists(b, a != b && a + b == 'bc'))",
  'self.list.map(x, [x]).filter(y, y[0] > 1).size() == 2',
  "self.map.all(k, self.map[k].startsWith('v')) && self.map.exists(k, k == 'k2') && self.map.map(k, k).size() == 2",
  'self.list.exists(x, 1 / (x - 1) > 0)',
  '[[1, 2], [3]].all(inner, inner.all(x, x > 0))',
])

allFail('macros over errors', [['self.list.all(x, 1 / (x - 1) >= 0)', 'division by zero']])

allHold('sets', [
  "self.set == ['y', 'x'] && self.set != ['x'] && ['y', 'x'] == self.set",
  "self.set + ['y', 'z'] == ['x', 'y', 'z']",
  "'x' in self.set && !('z' in self.set) && self.set.size() == 2 && self.set[0] == 'x'",
  "self.set.all(x, x < 'z') && self.set.map(x, x) == ['x', 'y']",
  'sets.contains(self.list, [1, 2]) && sets.equivalent([1, 1], [1]) && sets.intersects(self.list, [3, 9])',
  '!sets.intersects(self.list, []) && sets.contains([], []) && !sets.contains([1], [2])',
])

allHold('keyed lists', [
  'self.keyed + self.keyed == self.keyed',
  "self.keyed.exists(x, x.k == 'a') && self.keyed.filter(x, x.v > 1).size() == 1",
  'self.keyed.map(x, x.v).sum() == 3 && self.keyed.exists_one(x, x.v == 1)',
])

allHold('lists and maps', [
  "self.list == [1, 2, 3] && self.list != [3, 2, 1] && self.names + ['d'] == ['a', 'b', 'c', 'd']",
  '[1, 2] + [3] == [1, 2, 3] && 2 in [1, 2] && !(5 in [1, 2]) && [[1], [2]] == [[1], [2]]',
  "{'a': 1} == {'a': 1} && {'a': [1]} != {'a': [2]} && {'a': self.n}.a == 3 && has({'a': 1}.a)",
  "self.map['k1'] == 'v1' && 'k1' in self.map && self.map.size() == 2 && has(self.map.k1) && !has(self.map.zz)",
  "self.map == {'k1': 'v1', 'k2': 'v2'} && {'k2': 'v2', 'k1': 'v1'} == self.map",
  'self.objects[0] == self.objects[0] && self.objects[0] != self.objects[1] && self.objects[0] in self.objects',
  "self.nullables[0] == 'a' && self.nullables.size() == 2",
])

allFail('places that are not there', [
  ['self.objects[5].x == 1', 'index out of bounds: 5'],
  ['self.list[-1] == 1', 'index out of bounds: -1'],
  ["self.map.zz == 'x'", 'no such key: zz'],
  ['self.objects[1].x == 1', 'no such key: x'],
])
