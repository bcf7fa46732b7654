/** The scale subresource: two numbers of a custom resource (or workload) shown as `autoscaling/v1 Scale`. */
import { invalidValue } from '../api/causes.ts'
import type { Json, JsonObject, KubeObject } from '../api/object.ts'
import { invalid, StatusError } from '../api/status-error.ts'
import type { Draft, ScalePaths, View } from '../registry/resource.ts'
import { type Call, subjectOf } from './call.ts'
import { viewOf } from './commit.ts'

const steps = (path: string) => path.split('.').filter(part => part !== '')

function valueAt(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object
  for (const step of steps(path)) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
    value = Object.hasOwn(value, step) ? value[step] : undefined
  }
  return value
}

/** A copy of `object` with one field set; everything beside the path is shared. */
function withValue(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [step, ...rest] = path
  if (step === undefined) return object
  const child = object[step]
  const inner = child !== null && typeof child === 'object' && !Array.isArray(child) ? child : {}
  return { ...object, [step]: rest.length === 0 ? value : withValue(inner, rest, value) }
}

/** The Scale of an object. Throws 500 when the object has no replicas field, as the real server does. */
export function scaleOf(call: Call, object: KubeObject): View {
  const paths = pathsOf(call)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = valueAt(object, paths.specReplicasPath)
  const selector = paths.labelSelectorPath ? selectorText(valueAt(object, paths.labelSelectorPath)) : ''
  return viewOf({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: typeof replicas === 'number' ? replicas : 0 },
    status: {
      replicas: Number(valueAt(object, paths.statusReplicasPath) ?? 0),
      ...(selector && { selector }),
    },
  })
}

function selectorText(value: Json | undefined): string {
  if (typeof value === 'string') return value
  const labels = (value as JsonObject | undefined)?.['matchLabels'] as JsonObject | undefined
  return Object.entries(labels ?? {})
    .map(([key, wanted]) => `${key}=${wanted}`)
    .join(',')
}

function pathsOf({ resource }: Call): ScalePaths {
  if (!resource.scale) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
  return resource.scale
}

/** The object with the replicas that a Scale asks for. Throws 422 for a negative number. */
export function scaled(call: Call, object: KubeObject, scale: JsonObject): Draft {
  const paths = pathsOf(call)
  const spec = (scale['spec'] ?? {}) as JsonObject
  const metadata = (scale['metadata'] ?? {}) as JsonObject
  const replicas = spec['replicas'] ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0)
    throw invalid({ ...subjectOf(call), group: 'autoscaling', kind: 'Scale' }, [
      invalidValue('spec.replicas', replicas, 'should be a non-negative integer'),
    ])
  const next = withValue(object, steps(paths.specReplicasPath), replicas)
  const { resourceVersion, uid } = metadata
  return {
    ...next,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...object.metadata,
      resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : object.metadata.resourceVersion,
      ...(typeof uid === 'string' && uid !== '' && { uid }),
    },
  }
}
