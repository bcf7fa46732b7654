import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '@godwit/kube'
import { annotations, labels } from '../api/index.ts'
import { clean } from './clean.ts'

interface Open extends KubeObject {
  readonly spec?: Record<string, unknown>
  readonly status?: unknown
}

const object = (kind: string, rest: object = {}, meta: object = {}): Open =>
  ({
    apiVersion: 'v1',
    kind,
    metadata: {
      name: 'c1',
      namespace: 'c1',
      uid: 'u',
      resourceVersion: '7',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [{}],
      selfLink: '/x',
      finalizers: ['example.com/f'],
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'x' }],
      labels: { app: 'x' },
      annotations: { note: 'kept', [annotations.lastApplied]: '{}' },
      ...meta,
    },
    ...rest,
  }) as Open

const cleaned = (source: Open, options: Parameters<typeof clean>[1] = { withStatus: false }) =>
  clean(source, options) as Open
const withAnnotations = (kind: string, wanted: Record<string, string>, spec = {}) =>
  object(kind, { spec }, { annotations: wanted })

test('what belongs to a hub stays there: uid, versions, owners, finalizers, what was last applied', () => {
  assert.deepEqual(cleaned(object('Secret', { data: { a: 'YQ==' } })), {
    apiVersion: 'v1',
    kind: 'Secret',
    data: { a: 'YQ==' },
    metadata: { name: 'c1', namespace: 'c1', labels: { app: 'x' }, annotations: { note: 'kept' } },
  })
})

test('what is only referred to keeps what was last applied', () => {
  const { metadata } = cleaned(object('Secret'), { withStatus: false, isReferenced: true })
  assert.deepEqual(metadata.annotations, { note: 'kept', [annotations.lastApplied]: '{}' })
})

test('a status travels where it is wanted, and nowhere else', () => {
  const source = object('HostFirmwareSettings', { status: { settings: { a: 'b' } } })
  assert.deepEqual(cleaned(source, { withStatus: true }).status, { settings: { a: 'b' } })
  assert.equal('status' in cleaned(source), false)
  assert.equal('status' in cleaned(object('HostFirmwareSettings'), { withStatus: true }), false)
})

test('binary data, type and immutability of Secrets and ConfigMaps travel (H-47)', () => {
  const content = { data: { a: 'b' }, binaryData: { c: 'ZA==' }, immutable: true, type: 'example.com/t' }
  const { metadata: _, ...rest } = cleaned(object('ConfigMap', content))
  assert.deepEqual(rest, { apiVersion: 'v1', kind: 'ConfigMap', ...content })
})

test('a ManagedCluster loses the client configs of its hub and the marks of the way, and keeps its taints', () => {
  const taints = [{ key: 'k', effect: 'NoSelect', timeAdded: '2026-01-01T00:00:00Z' }]
  const { metadata, spec } = cleaned(
    withAnnotations(
      'ManagedCluster',
      {
        [annotations.migrating]: '',
        [annotations.klusterletConfig]: 'migration-hub2',
        [annotations.migration]: 'uid',
        'open-cluster-management/created-via': 'hive',
      },
      {
        hubAcceptsClient: false,
        leaseDurationSeconds: 60,
        managedClusterClientConfigs: [{ url: 'https://hub1' }],
        taints,
      },
    ),
  )
  assert.deepEqual(spec, { hubAcceptsClient: true, leaseDurationSeconds: 60, taints })
  assert.deepEqual(metadata.annotations, {
    'open-cluster-management/created-via': 'hive',
    [annotations.disableAutoImport]: '',
  })
})

test('imports are held back on the target; that the user had done so before is remembered', () => {
  const source = withAnnotations('ManagedCluster', { [annotations.disableAutoImport]: 'mine' })
  assert.deepEqual(cleaned(source).metadata.annotations, { [annotations.disableAutoImport]: 'mine' })
  assert.deepEqual(cleaned(source, { withStatus: false, keepDisableAutoImport: true }).metadata.annotations, {
    [annotations.disableAutoImport]: 'mine',
    [annotations.keepDisableAutoImport]: 'true',
  })
})

const PAUSED: readonly (readonly [string, string, Record<string, string>, Record<string, string>])[] = [
  ['ClusterDeployment', annotations.hivePause, {}, {}],
  ['BareMetalHost', annotations.metal3Pause, { [labels.backup]: 'cluster-activation' }, {}],
  [
    'ImageClusterInstall',
    annotations.hivePause,
    { [labels.veleroRestore]: 'globalhub' },
    { [annotations.veleroStatus]: 'true' },
  ],
]
for (const [kind, pause, addedLabels, addedAnnotations] of PAUSED)
  test(`a ${kind} arrives without pause, with the marks of a restore and its own ones`, () => {
    const { metadata } = cleaned(withAnnotations(kind, { [pause]: 'true', note: 'kept' }))
    assert.deepEqual(metadata.annotations, { note: 'kept', ...addedAnnotations })
    assert.deepEqual(metadata.labels, { app: 'x', ...addedLabels })
  })

test('an object without labels and annotations gets none, and the source is left as it was', () => {
  const source = object('Secret', {}, { labels: undefined, annotations: undefined })
  const before = structuredClone(source)
  assert.deepEqual(cleaned(source).metadata, { name: 'c1', namespace: 'c1' })
  assert.deepEqual(source, before)
})
