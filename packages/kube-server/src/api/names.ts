/** Syntax rules for names, label keys and values. Each returns the complaint, or undefined when all is well. */

const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const subdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const qualifiedPattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const label1035Pattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

export const maxSubdomainLength = 253
export const maxLabelLength = 63

const tooLong = (max: number) => `must be no more than ${max} characters`

export function subdomainProblem(name: string): string | undefined {
  if (name.length > maxSubdomainLength) return tooLong(maxSubdomainLength)
  if (subdomainPattern.test(name)) return undefined
  return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
}

export function dnsLabelProblem(name: string): string | undefined {
  if (name.length > maxLabelLength) return tooLong(maxLabelLength)
  if (labelPattern.test(name)) return undefined
  return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
}

export function dns1035Problem(name: string): string | undefined {
  if (name.length > maxLabelLength) return tooLong(maxLabelLength)
  if (label1035Pattern.test(name)) return undefined
  return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
}

/** Names of RBAC objects: anything that can stand as one part of a URL path. */
export function pathSegmentProblem(name: string): string | undefined {
  if (name === '.' || name === '..') return `may not be '${name}'`
  for (const bad of ['/', '%']) if (name.includes(bad)) return `may not contain '${bad}'`
  return undefined
}

/** `[prefix/]name` as used for label keys, annotation keys and finalizers. */
export function qualifiedNameProblem(key: string): string | undefined {
  const parts = key.split('/')
  if (parts.length > 2)
    return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
  const name = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') return 'prefix part must be non-empty'
    const problem = subdomainProblem(prefix)
    if (problem) return `prefix part ${problem}`
  }
  if (name === '') return 'name part must be non-empty'
  if (name.length > maxLabelLength) return `name part ${tooLong(maxLabelLength)}`
  if (qualifiedPattern.test(name)) return undefined
  return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
}

export function labelValueProblem(value: string): string | undefined {
  if (value === '') return undefined
  if (value.length > maxLabelLength) return tooLong(maxLabelLength)
  if (qualifiedPattern.test(value)) return undefined
  return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
}
