/**
 * Schemas of pods and what carries pods. All fields are named, so that a typing error is found; those that nobody here
 * reads are of no particular type.
 */
import { metadataSchema } from '../define.ts'
import {
  anything,
  boolean,
  integer,
  intOrString,
  keptList,
  listOf,
  long,
  mapOf,
  record,
  type Schema,
  strings,
  text,
  time,
} from '../openapi-types.ts'

/** Typed where named, open for the rest. */
export const open = (properties: { [name: string]: Schema }): Schema => ({
  ...record(properties),
  'x-kubernetes-preserve-unknown-fields': true,
})

/** Any JSON value, kept as it comes. */
const value: Schema = Object.freeze({ 'x-kubernetes-preserve-unknown-fields': true })

/** Fields of no particular type, from their names separated by spaces. */
export const untyped = (names: string): { [name: string]: Schema } =>
  Object.fromEntries(names.split(' ').map(name => [name, value]))

export const conditions: Schema = listOf(open({ type: text, status: text, reason: text, message: text }))

export const labelSelector: Schema = record({
  matchLabels: mapOf(text),
  matchExpressions: listOf(record({ key: text, operator: text, values: strings })),
})

const container: Schema = record({
  ...untyped(
    'envFrom lifecycle livenessProbe readinessProbe resizePolicy resources restartPolicyRules securityContext startupProbe targetContainerName volumeDevices',
  ),
  name: text,
  image: text,
  command: strings,
  args: strings,
  workingDir: text,
  env: listOf(record({ name: text, value: text, valueFrom: value })),
  ports: listOf(record({ name: text, containerPort: integer, hostIP: text, hostPort: integer, protocol: text })),
  volumeMounts: listOf(
    record({
      ...untyped('mountPropagation recursiveReadOnly subPath subPathExpr'),
      name: text,
      mountPath: text,
      readOnly: boolean,
    }),
  ),
  imagePullPolicy: text,
  restartPolicy: text,
  stdin: boolean,
  stdinOnce: boolean,
  terminationMessagePath: text,
  terminationMessagePolicy: text,
  tty: boolean,
})

const volume: Schema = record({
  ...untyped(
    'awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs persistentVolumeClaim photonPersistentDisk portworxVolume projected quobyte rbd scaleIO secret storageos vsphereVolume',
  ),
  name: text,
})

export const podSpec: Schema = record({
  ...untyped(
    'affinity dnsConfig hostAliases hostUsers hostnameOverride imagePullSecrets os overhead priority readinessGates resourceClaims resources schedulingGates securityContext setHostnameAsFQDN tolerations topologySpreadConstraints',
  ),
  containers: keptList(container),
  initContainers: listOf(container),
  ephemeralContainers: listOf(container),
  volumes: listOf(volume),
  nodeName: text,
  nodeSelector: mapOf(text),
  restartPolicy: text,
  serviceAccountName: text,
  serviceAccount: text,
  automountServiceAccountToken: boolean,
  enableServiceLinks: boolean,
  activeDeadlineSeconds: long,
  terminationGracePeriodSeconds: long,
  hostNetwork: boolean,
  hostPID: boolean,
  hostIPC: boolean,
  hostname: text,
  subdomain: text,
  dnsPolicy: text,
  shareProcessNamespace: boolean,
  priorityClassName: text,
  preemptionPolicy: text,
  runtimeClassName: text,
  schedulerName: text,
})

/** Metadata inside a template is the client's own. */
export const podTemplate: Schema = record({
  metadata: {
    ...metadataSchema,
    properties: { ...(metadataSchema['properties'] as Schema), creationTimestamp: value, managedFields: value },
  },
  spec: podSpec,
})

export const podStatus: Schema = open({
  phase: text,
  conditions,
  podIP: text,
  hostIP: text,
  startTime: time,
  reason: text,
  message: text,
})

const servicePort: Schema = record({
  name: text,
  port: integer,
  targetPort: intOrString,
  protocol: text,
  nodePort: integer,
  appProtocol: text,
})

export const serviceSpec: Schema = record({
  ...untyped(
    'allocateLoadBalancerNodePorts clusterIPs externalIPs externalTrafficPolicy healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP loadBalancerSourceRanges sessionAffinityConfig trafficDistribution',
  ),
  ports: listOf(servicePort),
  selector: mapOf(text),
  type: text,
  clusterIP: text,
  externalName: text,
  publishNotReadyAddresses: boolean,
  sessionAffinity: text,
})

const podCarrier = { selector: labelSelector, template: podTemplate, minReadySeconds: integer }

/** `spec` of the kinds of the group `apps`. */
export const appsSpecs: Readonly<Record<'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet', Schema>> = {
  Deployment: record({
    ...podCarrier,
    replicas: integer,
    strategy: value,
    revisionHistoryLimit: integer,
    paused: boolean,
    progressDeadlineSeconds: integer,
  }),
  ReplicaSet: record({ ...podCarrier, replicas: integer }),
  StatefulSet: record({
    ...podCarrier,
    ...untyped('ordinals persistentVolumeClaimRetentionPolicy updateStrategy volumeClaimTemplates'),
    replicas: integer,
    serviceName: text,
    podManagementPolicy: text,
    revisionHistoryLimit: integer,
  }),
  DaemonSet: record({ ...podCarrier, updateStrategy: value, revisionHistoryLimit: integer }),
}

export const jobSpec: Schema = record({
  ...untyped('podFailurePolicy successPolicy'),
  parallelism: integer,
  completions: integer,
  completionMode: text,
  backoffLimit: integer,
  backoffLimitPerIndex: integer,
  maxFailedIndexes: integer,
  activeDeadlineSeconds: long,
  ttlSecondsAfterFinished: integer,
  suspend: boolean,
  managedBy: text,
  manualSelector: boolean,
  podReplacementPolicy: text,
  selector: labelSelector,
  template: podTemplate,
})

export const cronJobSpec: Schema = record({
  schedule: text,
  timeZone: text,
  suspend: boolean,
  concurrencyPolicy: text,
  startingDeadlineSeconds: long,
  successfulJobsHistoryLimit: integer,
  failedJobsHistoryLimit: integer,
  jobTemplate: record({ metadata: anything, spec: jobSpec }),
})
