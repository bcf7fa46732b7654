import { allFail, allHold } from '../sample.ts'

allHold('url', [
  "url('https://user:pw@example.com:80/p%20a/b?x=1#f').getHost() == 'example.com:80'",
  "url('https://example.com:80/?x=1&x=2&y=z%20').getQuery() == {'x': ['1', '2'], 'y': ['z ']}",
  "url('https://example.com:80/a b').getEscapedPath() == '/a%20b'",
  "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'",
  "url('https://[::1]:80/').getHost() == '[::1]:80' && url('https://a/').getScheme() == 'https'",
  "url('/path').getScheme() == '' && url('/p').getHostname() == '' && url('http://a').getPort() == ''",
  "isURL('/x') && isURL('http://a') && !isURL('../x') && !isURL('')",
  "url('http://a/?x=1') == url('http://a/?x=1') && url('http://a') != url('http://b')",
])

allFail('url of what is none', [["url('nope') == url('nope')", 'URL parse error during conversion from string']])

allHold('ip', [
  "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6",
  "isIP('1.2.3.4') && !isIP('1.2.3.256') && !isIP('01.2.3.4') && !isIP('fe80::1%eth0') && !isIP('::ffff:1.2.3.4')",
  "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && !ip.isCanonical('2001:db8::0:0:0:abcd')",
  "string(ip('2001:0:0:1::1')) == '2001:0:0:1::1'",
  "ip('0.0.0.0').isUnspecified() && ip('::1').isLoopback() && !ip('1.2.3.4').isLoopback()",
  "ip('224.0.0.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()",
  "ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast()",
  "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast() && !ip('ff00::1').isGlobalUnicast()",
  "ip('1.2.3.4') == ip('1.2.3.4') && ip('::1') != ip('::2') && ip('::0:1') == ip('::1')",
  "type(ip('1.2.3.4')) == net.IP",
])

allHold('cidr', [
  "cidr('192.168.0.0/24').containsIP(ip('192.168.0.1')) && cidr('192.168.0.0/24').containsIP('192.168.0.1')",
  "!cidr('192.168.0.0/24').containsIP('192.168.1.1') && !cidr('10.0.0.0/8').containsIP('::1')",
  "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')",
  "!cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/16'))",
  "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24') && cidr('192.168.0.1/24').ip() == ip('192.168.0.1')",
  "cidr('::1/128').prefixLength() == 128 && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
  "isCIDR('10.0.0.1/8') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0')",
])

allFail('addresses that are none', [
  ["ip('1.2.3.999').family() == 4", 'IP Address "1.2.3.999" parse error during conversion from string'],
  ["ip('::ffff:1.2.3.4').family() == 4", 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
  ["cidr('10.0.0.0/99').prefixLength() == 1", 'network address parse error during conversion from string'],
])
