import { allFail, allHold } from '../sample.ts'

allHold('times', [
  'self.when.getFullYear() == 2021 && self.when.getMonth() == 2 && self.when.getDayOfMonth() == 3',
  'self.when.getDate() == 4 && self.when.getDayOfWeek() == 4 && self.when.getDayOfYear() == 62',
  'self.when.getHours() == 5 && self.when.getMinutes() == 6 && self.when.getSeconds() == 7',
  'self.when.getMilliseconds() == 500',
  "self.when.getHours('America/New_York') == 0 && self.when.getDate('Asia/Tokyo') == 4",
  "self.when.getHours('+02:30') == 7 && self.when.getMinutes('+02:30') == 36 && self.when.getHours('-01:00') == 4",
  "string(self.when) == '2021-03-04T05:06:07.5Z' && int(self.when) == 1614834367",
  "self.when > timestamp('2020-01-01T00:00:00Z') && self.day == timestamp('2021-01-02T00:00:00Z')",
  "self.when - timestamp('2021-03-04T04:06:07.5Z') == duration('1h') && self.when + duration('1s') > self.when",
])

allHold('durations', [
  "self.span == duration('90m') && self.span > duration('1s') && string(self.span) == '5400s'",
  'self.span.getHours() == 1 && self.span.getMinutes() == 90 && self.span.getMilliseconds() == 5400000',
  "self.span + duration('1m') == duration('91m') && duration('-1.5s').getSeconds() == -1",
])

allFail('times that are none', [
  ["self.when.getHours('Nope/Zone') == 0", 'unknown time zone Nope/Zone'],
  ["timestamp('2020-13-01T00:00:00Z') == self.when", 'invalid timestamp argument'],
  ["duration('x') == self.span", 'invalid duration argument'],
])
