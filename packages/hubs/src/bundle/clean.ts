/** What an object loses, and gains, on its way between hubs (reference table 7.2). */
import type { KubeObject, ObjectMeta } from '@godwit/kube'
import { annotations, labels } from '../api/index.ts'

type Open = KubeObject & { readonly [member: string]: unknown }
type Meta = ObjectMeta & { annotations?: Record<string, string>; labels?: Record<string, string> }

/** Annotations that belong to the way, not to the object. */
const ON_THE_WAY = [annotations.migrating, annotations.klusterletConfig, annotations.migration, annotations.lastApplied]

export interface CleanOptions {
  /** The status travels. */
  readonly withStatus: boolean
  /** Only referred to by another object: kept as it is but for its metadata. */
  readonly isReferenced?: boolean
  /** The user had disabled auto-import before the migration did. */
  readonly keepDisableAutoImport?: boolean
}

export function clean(source: KubeObject, options: CleanOptions): KubeObject {
  const { status, metadata, ...rest } = source as Open
  const kept: Record<string, unknown> = { ...rest, metadata: cleanMeta(metadata, options) }
  if (options.withStatus && status !== undefined) kept['status'] = status
  return transform(kept as unknown as Open, options)
}

/** Owner references go: their uids mean nothing on another hub, and its collector would delete the object. */
function cleanMeta(meta: ObjectMeta, { isReferenced = false }: CleanOptions): Meta {
  const dropped = isReferenced ? ON_THE_WAY.filter(key => key !== annotations.lastApplied) : ON_THE_WAY
  const kept = Object.entries(meta.annotations ?? {}).filter(([key]) => !(dropped as readonly string[]).includes(key))
  return {
    name: meta.name,
    ...(meta.namespace !== undefined && { namespace: meta.namespace }),
    ...(meta.labels && { labels: { ...meta.labels } }),
    ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
  }
}

function transform(object: Open, options: CleanOptions): KubeObject {
  switch (object.kind) {
    case 'ManagedCluster':
      return managedCluster(object, options)
    case 'ClusterDeployment':
      return withoutAnnotation(object, annotations.hivePause)
    case 'BareMetalHost':
      return withMeta(withoutAnnotation(object, annotations.metal3Pause), {
        labels: { [labels.backup]: 'cluster-activation' },
      })
    case 'ImageClusterInstall':
      return withMeta(withoutAnnotation(object, annotations.hivePause), {
        labels: { [labels.veleroRestore]: 'globalhub' },
        annotations: { [annotations.veleroStatus]: 'true' },
      })
    default:
      return object
  }
}

/** The target must accept the cluster and hold imports back until the klusterlet has joined. */
function managedCluster(object: Open, { keepDisableAutoImport = false }: CleanOptions): KubeObject {
  const { managedClusterClientConfigs: _, ...spec } = (object['spec'] ?? {}) as Record<string, unknown>
  const marked = withMeta(object, {
    annotations: {
      [annotations.disableAutoImport]: object.metadata.annotations?.[annotations.disableAutoImport] ?? '',
      ...(keepDisableAutoImport && { [annotations.keepDisableAutoImport]: 'true' }),
    },
  })
  return { ...marked, spec: { ...spec, hubAcceptsClient: true } } as KubeObject
}

function withoutAnnotation(object: Open, key: string): Open {
  const { [key]: _, ...rest } = object.metadata.annotations ?? {}
  return { ...object, metadata: { ...object.metadata, annotations: rest } }
}

function withMeta(
  object: Open,
  added: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> },
): Open {
  const { metadata } = object
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(added.labels && { labels: { ...metadata.labels, ...added.labels } }),
      ...(added.annotations && { annotations: { ...metadata.annotations, ...added.annotations } }),
    },
  }
}
