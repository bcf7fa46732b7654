import { allFail, allHold } from '../sample.ts'

allHold('quantity', [
  "isQuantity('1.3G') && isQuantity('1.3Gi') && isQuantity('10000k') && isQuantity('1e3') && isQuantity('100m')",
  "!isQuantity('1,3G') && !isQuantity('200K') && !isQuantity('Three') && !isQuantity('')",
  "quantity('50k').add(quantity('20k')) == quantity('70k') && quantity('50k').add(20) == quantity('50020')",
  "quantity('50k').sub(quantity('20k')) == quantity('30k') && quantity('50k').sub(20000) == quantity('30k')",
  "quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('50M').compareTo(quantity('50Mi')) == -1",
  "quantity('50Mi').isGreaterThan(quantity('50M')) && quantity('1').isLessThan(quantity('2'))",
  "quantity('50000000G').isInteger() && quantity('50k').asInteger() == 50000",
  "quantity('50k').sub(20000).asApproximateFloat() == 30000.0 && quantity('100m').asApproximateFloat() == 0.1",
  "!quantity('9999999999999999999999999999999999999G').isInteger()",
  "sign(quantity('-1')) == -1 && sign(quantity('0')) == 0",
  "quantity('1e3').asInteger() == 1000 && quantity('1E').isInteger()",
  "quantity('1000m') == quantity('1') && quantity('1Ki') != quantity('1k')",
])

allFail('quantities that are none, or too large', [
  ["quantity('x') == quantity('1')", 'quantities must match the regular expression'],
  ["quantity('9999999999999999999999999999999999999G').asInteger() == 1", 'cannot convert value to integer'],
])

allHold('named formats', [
  "format.named('dns1123Label').hasValue() && !format.named('nope').hasValue()",
  "format.dns1123Label().validate('a-b') == optional.none() && format.dns1123Label().validate('A_').hasValue()",
  "format.dns1123Subdomain().validate('a.b') == optional.none() && format.dns1035Label().validate('1a').hasValue()",
  "!format.qualifiedName().validate('a/b').hasValue() && format.qualifiedName().validate('a/b/c').hasValue()",
  "!format.labelValue().validate('').hasValue() && format.labelValue().validate('-x').hasValue()",
  "format.uuid().validate('x').value() == ['does not match the UUID format']",
  "format.date().validate('2021-01-01') == optional.none() && format.datetime().validate('2021-01-01').hasValue()",
  "format.byte().validate('a').value().size() == 1 && !format.uri().validate('http://a').hasValue()",
])
