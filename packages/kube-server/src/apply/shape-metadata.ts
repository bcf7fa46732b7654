import { closed, keyed, leaf, type MapShape, mapOf, set, untracked } from './shape.ts'

/** ObjectMeta: labels and annotations per key, finalizers a set, owners by uid; what the server writes is untracked. */
export const metadataShape: MapShape = closed({
  name: untracked,
  namespace: untracked,
  uid: untracked,
  resourceVersion: untracked,
  generation: untracked,
  creationTimestamp: untracked,
  selfLink: untracked,
  managedFields: untracked,
  clusterName: untracked,
  deletionTimestamp: leaf,
  deletionGracePeriodSeconds: leaf,
  generateName: leaf,
  labels: mapOf(leaf),
  annotations: mapOf(leaf),
  finalizers: set,
  ownerReferences: keyed(['uid'], leaf),
})
