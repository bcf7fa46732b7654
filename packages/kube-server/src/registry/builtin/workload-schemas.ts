/** Schemas of pods and what carries pods: the main fields typed, everything else kept as it comes. */
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

export const conditions: Schema = listOf(open({ type: text, status: text, reason: text, message: text }))

export const labelSelector: Schema = record({
  matchLabels: mapOf(text),
  matchExpressions: listOf(record({ key: text, operator: text, values: strings })),
})

const container: Schema = open({
  name: text,
  image: text,
  command: strings,
  args: strings,
  workingDir: text,
  env: listOf(open({ name: text, value: text })),
  ports: listOf(open({ name: text, containerPort: integer, protocol: text })),
  resources: anything,
  volumeMounts: listOf(open({ name: text, mountPath: text, readOnly: boolean })),
  imagePullPolicy: text,
})

export const podSpec: Schema = open({
  containers: keptList(container),
  initContainers: listOf(container),
  volumes: listOf(open({ name: text })),
  nodeName: text,
  nodeSelector: mapOf(text),
  restartPolicy: text,
  serviceAccountName: text,
  hostNetwork: boolean,
  terminationGracePeriodSeconds: long,
})

/** Metadata inside a template has no rules of its own. */
export const podTemplate: Schema = open({
  metadata: open({ labels: mapOf(text), annotations: mapOf(text) }),
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

export const servicePort: Schema = open({
  name: text,
  port: integer,
  targetPort: intOrString,
  protocol: text,
  nodePort: integer,
})
