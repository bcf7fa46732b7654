/** Pods and everything that carries a pod template. */
import { keyed, leaf, mapOf, open, type Shape, set } from './shape.ts'
import { embeddedMetadataShape } from './shape-metadata.ts'

/** A list of conditions told apart by their type. */
export const conditions = keyed(['type'])
/** A reference or selector that is replaced as a whole. */
export const atomic = leaf

const secretReference = open({ secretRef: atomic, nodePublishSecretRef: atomic })
const resources = open({ claims: keyed(['name']), limits: mapOf(leaf), requests: mapOf(leaf) })

const envVar = open({
  valueFrom: open({ configMapKeyRef: atomic, fieldRef: atomic, resourceFieldRef: atomic, secretKeyRef: atomic }),
})

const container = open({
  env: keyed(['name'], envVar),
  ports: keyed(['containerPort', 'protocol'], undefined, { protocol: 'TCP' }),
  resources,
  volumeDevices: keyed(['devicePath']),
  volumeMounts: keyed(['mountPath']),
})

/** PersistentVolumeClaimSpec. */
export const claimSpec = open({
  dataSource: atomic,
  resources: open({ limits: mapOf(leaf), requests: mapOf(leaf) }),
  selector: atomic,
})

const volume = open({
  cephfs: secretReference,
  cinder: secretReference,
  csi: secretReference,
  ephemeral: open({ volumeClaimTemplate: open({ metadata: embeddedMetadataShape, spec: claimSpec }) }),
  flexVolume: secretReference,
  iscsi: secretReference,
  rbd: secretReference,
  scaleIO: secretReference,
  storageos: secretReference,
})

export const podSpec: Shape = open({
  affinity: open({ nodeAffinity: open({ requiredDuringSchedulingIgnoredDuringExecution: atomic }) }),
  containers: keyed(['name'], container),
  ephemeralContainers: keyed(['name'], container),
  hostAliases: keyed(['ip']),
  imagePullSecrets: keyed(['name'], atomic),
  initContainers: keyed(['name'], container),
  nodeSelector: atomic,
  overhead: mapOf(leaf),
  resourceClaims: keyed(['name']),
  resources,
  schedulingGates: keyed(['name']),
  topologySpreadConstraints: keyed(['topologyKey', 'whenUnsatisfiable'], open({ labelSelector: atomic })),
  volumes: keyed(['name'], volume),
})

export const podStatus: Shape = open({
  conditions,
  podIPs: keyed(['ip']),
  resourceClaimStatuses: keyed(['name']),
})

export const podTemplate: Shape = open({ metadata: embeddedMetadataShape, spec: podSpec })

/** Spec of Deployment, StatefulSet, DaemonSet, ReplicaSet. */
export const workloadSpec: Shape = open({ selector: atomic, template: podTemplate })

export const jobSpec: Shape = open({ selector: atomic, template: podTemplate })

export const jobStatus: Shape = open({ uncountedTerminatedPods: open({ failed: set, succeeded: set }) })
