import { allFail, allHold } from './sample.ts'

allHold('arithmetic', [
  'self.n + 1 == 4 && self.n * 2 == 6 && 7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && -7 % 3 == -1',
  '-self.n == -3 && -self.d == -0.5 && self.d / 0.0 > 1.0',
  'self.n < 3.5 && self.n >= 3u && 3.5 > self.n && dyn(self.n) == 3.0 && dyn(self.n) == self.n',
  '0x1F == 31 && 1e3 == 1000.0 && 9223372036854775807 > 0',
])

allFail('arithmetic that has no result', [
  ['self.n / 0 == 1', 'division by zero'],
  ['self.n % 0 == 1', 'modulus by zero'],
  ['9223372036854775807 + self.n > 0', 'integer overflow'],
])

allHold('conversions', [
  "double(self.n) == 3.0 && int(3.9) == 3 && int('12') == 12 && uint(3) == 3u && double('1.5') == 1.5",
  "string(12) == '12' && string(1.5) == '1.5' && string(true) == 'true' && bool('true')",
  "string(1e21) == '1e+21' && string(100000.0) == '100000'",
  "string(self.raw) == 'hello' && self.raw == b'hello' && size(self.raw) == 5 && self.raw + b'x' == b'hellox'",
])

allFail('conversions that fail', [["int('x') == 1", "type conversion error from 'string' to 'int'"]])

allHold('types', [
  "type(1) == int && type('') == string && type([]) == list && type({}) == map && type(null) == null_type",
  "type(1.0) == double && type(true) == bool && type(b'') == bytes && type(1u) == uint && type(int) == type",
  'type(self.when) == google.protobuf.Timestamp && type(self.n) == int && type(self.d) == double',
  "type(self.either) == string && int(self.either.replace('%', '')) == 50",
])

allHold('logic and order', [
  'false && self.n / 0 == 1 || true',
  'self.n / 0 == 1 || true',
  '!(false && self.n / 0 == 1) && (self.b ? 1 : 2) == 1 && !(!self.b)',
  '1 == 1 ? self.n == 3 : self.n / 0 == 1',
  "'a' < 'b' && 'abc' <= 'abc' && b'a' < b'b' && false < true",
  "self.n in [3, 4] && self.s in ['abc'] && !(self.s in [])",
])

allFail('logic over errors', [['self.n / 0 == 1 && true', 'division by zero']])

allHold('literals', ["self.s == \"a\\u0062c\" && r'\\d' == '\\\\d' && '''x''' == 'x' && b'\\xff' != b'a'"])

allHold('presence', [
  'has(self.s) && !has(self.absent) && !has(self.nothing)',
  'has(self.objects[0].x) && !has(self.objects[1].x)',
  'has(self.inner.metadata.name) && !has(self.inner.metadata.generateName)',
])

allHold('presence below optional values', [
  '!has(self.?nothing.x) && has(self.?objects[0].x) && !has(self.?objects[1].x)',
])

allHold('optional values', [
  "self.?nothing.?x.orValue(7) == 7 && self.?s.hasValue() && self.?s.value() == 'abc'",
  "!self.objects[?5].hasValue() && self.objects[?0].?x.orValue(0) == 1 && self.map[?'zz'].orValue('d') == 'd'",
  'optional.of(1).optMap(x, x + 1).value() == 2 && optional.of(2).optFlatMap(x, optional.of(x)).value() == 2',
  '!self.?nothing.or(optional.none()).hasValue() && optional.none().orValue(3) == 3',
  "!optional.ofNonZeroValue('').hasValue() && optional.ofNonZeroValue(1).hasValue()",
  'self.objects.map(x, x.?x.orValue(0)).sum() == 1',
])

allFail('values that are absent', [
  ['optional.none().value() == 1', 'optional.none() dereference'],
  ['self.?nothing.value().x == 1', 'optional.none() dereference'],
  ["self.absent == 'x'", 'no such key: absent'],
  ['self.nothing.x == 1', 'no such key: nothing'],
])

allHold('fields with names that rules cannot spell', [
  "self.a__dash__b__dot__c__slash__d__underscores__e == 'z' && self.__namespace__ == 'ns'",
])

allHold('embedded resources', ["self.inner.metadata.name == 'nm' && self.inner.kind == 'Inner'"])

allFail('values of unexpected types', [
  ['self.either > 5', "'no such overload': call arguments did not match a supported operator"],
])
