import { allFail, allHold } from '../sample.ts'

allHold('characters are code points', [
  'size(self.uni) == 3',
  "self.uni.charAt(1) == '𝒳'",
  "self.uni.indexOf('z') == 2",
  "self.uni.lastIndexOf('z') == 2",
  "self.uni.substring(1, 2) == '𝒳'",
  "self.uni.split('') == ['é', '𝒳', 'z']",
])

allHold('parts of a text', [
  "self.s.charAt(1) == 'b'",
  "self.s.charAt(3) == ''",
  "self.s.indexOf('c') == 2",
  "self.s.indexOf('', 2) == 2",
  "self.s.indexOf('q') == -1",
  "self.s.indexOf('a', 1) == -1",
  "'abab'.lastIndexOf('ab') == 2",
  "'abab'.lastIndexOf('ab', 1) == 0",
  "'ab'.lastIndexOf('') == 2",
  "'tacocat'.substring(4) == 'cat'",
  "'tacocat'.substring(0, 4) == 'taco'",
  "self.s.startsWith('ab') && self.s.endsWith('bc') && self.s.contains('b')",
  "!self.s.startsWith('b') && !self.s.endsWith('b') && !self.s.contains('z')",
])

allFail('parts that are not there', [
  ["self.s.charAt(9) == ''", 'index out of range: 9'],
  ["self.s.indexOf('a', -1) == 0", 'index out of range: -1'],
  ["'taco'.substring(3, 1) == ''", 'invalid substring range. start: 3, end: 1'],
  ["'taco'.substring(5) == ''", 'index out of range: 5'],
  ["'taco'.substring(0, 9) == ''", 'index out of range: 9'],
])

allHold('changed texts', [
  "'TacoCat'.lowerAscii() == 'tacocat' && 'ÀB'.lowerAscii() == 'Àb' && self.uni.upperAscii() == 'é𝒳Z'",
  "'hello hello'.replace('he', 'we') == 'wello wello'",
  "'hello hello'.replace('he', 'we', 1) == 'wello hello'",
  "'ab'.replace('', '_') == '_a_b_' && 'ab'.replace('', '_', 2) == '_a_b' && ''.replace('', 'x') == 'x'",
  "'aaa'.replace('a', 'b', 0) == 'aaa'",
  "'a.b.c'.replace('.', '$&') == 'a$&b$&c'",
  "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
  "'a,b'.split(',', 0) == [] && 'a,b'.split(',', -1).size() == 2 && ''.split(',') == ['']",
  "'  \\t x y \\n '.trim() == 'x y'",
  "['a', 'b'].join() == 'ab' && ['a', 'b'].join('-') == 'a-b' && self.names.join(',') == 'a,b,c'",
  "self.set.join('') == 'xy'",
])

allHold('format', [
  "'%s|%d|%.2f|%b|%x|%X|%o|%%'.format(['s', 5, 1.25, 5, 255, 255, 8]) == 's|5|1.25|101|ff|FF|10|%'",
  "'%s'.format([self.list]) == '[1, 2, 3]'",
  '\'%s\'.format([self.map]) == \'{"k1":"v1", "k2":"v2"}\'',
  "'%s %s %s'.format([1.0, 0.1, 1e30]) == '1 0.1 1e+30'",
  "'%x %x'.format(['ab', b'ab']) == '6162 6162'",
  "'%s %s'.format([timestamp('2020-01-01T00:00:00Z'), duration('1h')]) == '2020-01-01T00:00:00Z 3600s'",
])

allFail('templates that do not fit', [
  ["'%d'.format(['x']) == ''", 'decimal clause can only be used on integers'],
  ["'%f'.format([1]) == ''", 'fixed-point clause can only be used on doubles'],
  ["'%s %s'.format(['a']) == ''", 'index 1 out of range'],
  ["'%z'.format(['a']) == ''", 'unrecognized formatting clause'],
  ["'%s'.format([self.objects[0]]) == ''", 'string clause can only be used on strings'],
])

allHold('regular expressions', [
  "self.s.matches('^a.c$') && !self.s.matches('^b') && matches(self.s, 'b')",
  "self.s.matches(self.names[0] + '.*')",
  "self.s.find('[bc]') == 'b' && self.s.find('q') == ''",
  "self.s.findAll('[a-z]') == ['a', 'b', 'c'] && self.s.findAll('[a-z]', 2) == ['a', 'b']",
  "self.s.findAll('q') == [] && self.s.findAll('[a-z]', 0) == []",
  "'a1b22'.findAll('[0-9]*') == ['', '1', '22']",
  "'a\\nb'.matches('(?s)a.b') && !'a\\nb'.matches('a.b')",
])

allFail('regular expressions that are none', [
  ["self.s.matches('(')", 'invalid matches argument'],
  ["self.s.find('(') == ''", 'error parsing regexp: missing closing ): `(`'],
  ["self.s.matches('(' + self.names[0])", 'error parsing regexp: missing closing ): `(a`'],
  ["self.s.matches('(?=a)')", 'invalid matches argument'],
])
