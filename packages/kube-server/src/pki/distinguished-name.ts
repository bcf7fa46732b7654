/** Subjects of certificates as Kubernetes reads them: the common name is the user, each organization a group. */
import { type DerValue, expectTag, objectId, readMembers, readObjectId, sequence, set, Tag, utf8String } from './der.ts'

const COMMON_NAME = '2.5.4.3'
const ORGANIZATION = '2.5.4.10'

export interface SubjectName {
  readonly commonName: string
  readonly organizations: readonly string[]
}

const attribute = (type: string, text: string) => set(sequence(objectId(type), utf8String(text)))

/** DER of a name with the organizations first, as command line tools write them. */
export function encodeName(name: SubjectName): Buffer {
  return sequence(
    ...name.organizations.map(organization => attribute(ORGANIZATION, organization)),
    attribute(COMMON_NAME, name.commonName),
  )
}

const BMP_STRING = 0x1e
const UNIVERSAL_STRING = 0x1c

function readText(value: DerValue | undefined): string {
  if (value === undefined) return ''
  if (value.tag === BMP_STRING) return Buffer.from(value.content).swap16().toString('utf16le')
  if (value.tag === UNIVERSAL_STRING) return ''
  return value.content.toString('utf8')
}

/** Reads a name; the last common name wins, organizations keep their order. Other attributes are skipped. */
export function decodeName(value: DerValue): SubjectName {
  let commonName = ''
  const organizations: string[] = []
  for (const relative of readMembers(expectTag(value, Tag.sequence, 'name'))) {
    for (const pair of readMembers(expectTag(relative, Tag.set, 'relative name'))) {
      const [type, text] = readMembers(expectTag(pair, Tag.sequence, 'name attribute'))
      if (type === undefined) continue
      const id = readObjectId(type)
      if (id === COMMON_NAME) commonName = readText(text)
      if (id === ORGANIZATION) organizations.push(readText(text))
    }
  }
  return { commonName, organizations }
}
