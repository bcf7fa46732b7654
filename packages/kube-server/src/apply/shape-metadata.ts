import { closed, keyed, leaf, type MapShape, mapOf, type Shape, set, untracked } from './shape.ts'

const clientMembers = {
  deletionTimestamp: leaf,
  deletionGracePeriodSeconds: leaf,
  generateName: leaf,
  labels: mapOf(leaf),
  annotations: mapOf(leaf),
  finalizers: set,
  ownerReferences: keyed(['uid'], leaf),
}
const identity = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'selfLink',
  'managedFields',
]
const identityAs = (shape: Shape) => Object.fromEntries(identity.map(name => [name, shape]))

/** ObjectMeta: labels and annotations per key, finalizers a set, owners by uid; what the server writes is untracked. */
export const metadataShape: MapShape = closed({ ...identityAs(untracked), ...clientMembers })

/** ObjectMeta inside an object (a pod template, an embedded resource): nothing there is the server's. */
export const embeddedMetadataShape: MapShape = closed({ ...identityAs(leaf), ...clientMembers })
