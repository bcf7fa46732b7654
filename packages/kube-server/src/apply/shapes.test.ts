import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../api/object.ts'
import { applyBodyErrors, bodyErrorText, undeclaredFields } from './body-errors.ts'
import { pathsOf } from './field-set.ts'
import { everyField } from './fields-of.ts'
import { pathText } from './path-element.ts'
import type { Shape } from './shape.ts'
import { builtinShape } from './shape-builtin.ts'
import { shapeOfSchema } from './shape-of-schema.ts'
import { widget, widgetShape } from './widget-fixture.ts'

/** Where an object is taken apart, deepest paths only. */
function leavesOf(object: JsonObject, shape: Shape): string[] {
  const all = [...pathsOf(everyField(object, shape) ?? {})].map(pathText)
  return all.filter(
    path => !all.some(other => other !== path && other.startsWith(path) && /^[.[]/.test(other.slice(path.length))),
  )
}

const builtins: readonly (readonly [string, string, JsonObject, readonly string[]])[] = [
  ['v1', 'ConfigMap', { data: { 'a.b': 'x' }, immutable: true }, ['.data.a.b', '.immutable']],
  ['v1', 'Secret', { data: { k: 'x' }, type: 'Opaque' }, ['.data.k', '.type']],
  [
    'v1',
    'ServiceAccount',
    { secrets: [{ name: 's', namespace: 'n' }], imagePullSecrets: [{ name: 'p' }] },
    ['.imagePullSecrets', '.secrets[name="s"]'],
  ],
  [
    'v1',
    'Namespace',
    { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active', conditions: [{ type: 'A' }] } },
    ['.spec.finalizers', '.status.phase', '.status.conditions[type="A"].type'],
  ],
  [
    'v1',
    'Node',
    { status: { addresses: [{ type: 'IP' }], capacity: { cpu: 1 }, images: [{ names: [] }] } },
    ['.status.images', '.status.addresses[type="IP"].type', '.status.capacity.cpu'],
  ],
  [
    'v1',
    'Service',
    { spec: { ports: [{ port: 80 }], selector: { a: 'b' }, clusterIPs: ['x'] } },
    ['.spec.clusterIPs', '.spec.selector', '.spec.ports[port=80,protocol="TCP"].port'],
  ],
  [
    'v1',
    'Event',
    { involvedObject: { kind: 'X', name: 'a' }, source: { component: 'c' } },
    ['.involvedObject', '.source.component'],
  ],
  [
    'v1',
    'Pod',
    {
      spec: {
        nodeSelector: { a: 'b' },
        tolerations: [{ key: 'k' }],
        volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'k' }] } }],
        containers: [
          {
            name: 'c',
            args: ['x'],
            env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
            ports: [{ containerPort: 80 }],
            volumeMounts: [{ mountPath: '/v' }],
            resources: { limits: { cpu: 1 } },
          },
        ],
      },
    },
    [
      '.spec.nodeSelector',
      '.spec.tolerations',
      '.spec.containers[name="c"].args',
      '.spec.containers[name="c"].name',
      '.spec.containers[name="c"].env[name="E"].name',
      '.spec.containers[name="c"].env[name="E"].valueFrom.secretKeyRef',
      '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort',
      '.spec.containers[name="c"].resources.limits.cpu',
      '.spec.containers[name="c"].volumeMounts[mountPath="/v"].mountPath',
      '.spec.volumes[name="v"].name',
      '.spec.volumes[name="v"].secret.items',
      '.spec.volumes[name="v"].secret.secretName',
    ],
  ],
  [
    'apps/v1',
    'Deployment',
    { spec: { selector: { matchLabels: {} }, template: { metadata: { name: 'x', labels: { l: 'v' } } } } },
    ['.spec.selector', '.spec.template.metadata.name', '.spec.template.metadata.labels.l'],
  ],
  ['coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'x' } }, ['.spec.holderIdentity']],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', { rules: [{ verbs: ['get'] }] }, ['.rules']],
  [
    'rbac.authorization.k8s.io/v1',
    'RoleBinding',
    { subjects: [{ name: 'a' }], roleRef: { name: 'r' } },
    ['.roleRef', '.subjects'],
  ],
  [
    'certificates.k8s.io/v1',
    'CertificateSigningRequest',
    { spec: { groups: ['g'] }, status: { conditions: [{ type: 'Approved' }] } },
    ['.spec.groups', '.status.conditions[type="Approved"].type'],
  ],
  [
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    { spec: { versions: [{ name: 'v1' }], names: { kind: 'K' } } },
    ['.spec.versions', '.spec.names.kind'],
  ],
  [
    'policy/v1',
    'Unheard',
    { status: { conditions: [{ type: 'A', status: 'x' }] }, any: { thing: [1] } },
    ['.any.thing', '.status.conditions[type="A"].status', '.status.conditions[type="A"].type'],
  ],
]

describe('the shape of a built-in kind', () => {
  for (const [apiVersion, kind, members, leaves] of builtins)
    it(`takes a ${kind} apart where the real server does`, () => {
      const object = { apiVersion, kind, ...members }
      assert.deepEqual(leavesOf(object, builtinShape(apiVersion, kind)).sort(), [...leaves].sort())
    })

  it('tracks of metadata what clients write', () => {
    const metadata = {
      name: 'a',
      namespace: 'n',
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: 'x',
      managedFields: [],
      generateName: 'a-',
      labels: { l: 'v' },
      annotations: { 'x.y/z': 'v' },
      finalizers: ['f'],
      ownerReferences: [{ uid: 'o', name: 'x', kind: 'K', apiVersion: 'v1' }],
    }
    assert.deepEqual(leavesOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, builtinShape('v1', 'ConfigMap')), [
      '.metadata.generateName',
      '.metadata.annotations.x.y/z',
      '.metadata.finalizers[="f"]',
      '.metadata.labels.l',
      '.metadata.ownerReferences[uid="o"]',
    ])
  })
})

describe('the shape of a schema', () => {
  it('of nothing keeps objects apart per key and lists whole', () => {
    const shape = shapeOfSchema({ 'x-kubernetes-preserve-unknown-fields': true, type: 'object' })
    assert.deepEqual(leavesOf({ spec: { a: { b: [1] } } }, shape), ['.spec.a.b'])
  })

  it('follows an object written without its type, and keyed lists without keys are whole', () => {
    const shape = shapeOfSchema({
      properties: { spec: { properties: { list: { type: 'array', 'x-kubernetes-list-type': 'map', items: {} } } } },
    })
    assert.deepEqual(leavesOf({ spec: { list: [{ a: 1 }] } }, shape), ['.spec.list'])
  })

  it('knows the metadata of embedded objects', () => {
    const object = { spec: { template: { kind: 'K', metadata: { name: 'x', labels: { l: 'v' } }, spec: { x: '1' } } } }
    assert.deepEqual(leavesOf(object, widgetShape), [
      '.spec.template.kind',
      '.spec.template.metadata.name',
      '.spec.template.metadata.labels.l',
      '.spec.template.spec.x',
    ])
  })

  it('does not confuse declared members with those of JavaScript objects', () => {
    const body = widget(JSON.parse('{"spec":{"__proto__":{"a":1},"constructor":1,"toString":2}}'))
    assert.deepEqual(undeclaredFields(body, widgetShape), ['.spec.__proto__', '.spec.constructor', '.spec.toString'])
  })
})

/** A spec and what the real server says of it. */
const errors: readonly (readonly [Json, string])[] = [
  [{ nope: 1 }, '.spec.nope: field not declared in schema'],
  [{ deep: { one: { c: 1 } } }, '.spec.deep.one.c: field not declared in schema'],
  [{ atom: { zz: 1 } }, '.spec.atom.zz: field not declared in schema'],
  [{ rows: [{ cell: 'x' }, { call: 'y' }] }, '.spec.rows[1].call: field not declared in schema'],
  [{ parts: [{ name: 'a', nope: 1 }] }, '.spec.parts[name="a"].nope: field not declared in schema'],
  [{ groups: { g: { z: 1 } } }, '.spec.groups.g.z: field not declared in schema'],
  [{ tags: ['a', 'a'] }, '.spec.tags: duplicate entries for key [="a"]'],
  [{ tags: [{ a: 1 }] }, ".spec.tags: element 0: associative list without keys has an element that's a map type"],
  [{ tags: [null] }, ".spec.tags: element 0: associative list without keys has an element that's an explicit null"],
  [{ tags: [['a']] }, '.spec.tags: element 0: not supported: associative list with lists as elements'],
  [{ parts: [3] }, '.spec.parts: element 0: associative list with keys may not have non-map elements'],
  [
    { parts: [{ qty: 1 }] },
    '.spec.parts: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  ],
  [
    { ports: [{ port: 1 }, { port: 1, protocol: 'TCP' }] },
    '.spec.ports: duplicate entries for key [port=1,protocol="TCP"]',
  ],
  [
    { parts: [{ name: 'a' }, { name: 'a', nope: 1 }] },
    'errors:\n  .spec.parts: duplicate entries for key [name="a"]\n  .spec.parts[name="a"].nope: field not declared in schema',
  ],
]

describe('the errors of an apply body', () => {
  for (const [spec, text] of errors)
    it(`say ${JSON.stringify(text)}`, () => {
      assert.equal(bodyErrorText(applyBodyErrors(widget({ spec }), widgetShape)), text)
    })

  it('are none for declared, preserved and additional members', () => {
    const spec = {
      size: 1,
      blob: { x: { y: [1] } },
      opts: { k: 'v' },
      template: { kind: 'K', apiVersion: 'v1' },
      atom: { a: '1' },
    }
    assert.deepEqual(applyBodyErrors(widget({ spec }, { labels: { a: 'b' } }), widgetShape), [])
    assert.deepEqual(undeclaredFields(widget({ status: { phase: 'x' } }), widgetShape), [])
  })
})
