import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { deepFreeze } from '../../test/json-arbitrary.ts'
import {
  difference,
  type FieldSet,
  intersection,
  isBare,
  isMember,
  none,
  pathsOf,
  sameSet,
  union,
} from './field-set.ts'
import { pathText } from './path-element.ts'

/** The naive set: each path as text. */
type Paths = ReadonlySet<string>

const element = fc.constantFrom('f:a', 'f:b', 'f:__proto__', 'k:{"name":"x"}', 'v:"y"')
const paths: fc.Arbitrary<Paths> = fc
  .array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 8 })
  .map(all => new Set(all.map(path => path.join('\n'))))

function encode(set: Paths): FieldSet {
  const root: { [element: string]: FieldSet } = {}
  for (const path of set) {
    let node = root
    for (const step of path.split('\n')) {
      node[step] ??= {}
      node = node[step] as { [element: string]: FieldSet }
    }
    node['!'] = none
  }
  return tidy(root)
}

/** `!` marks members while the tree is made; a member with children becomes `.`, one without an empty node. */
function tidy(node: FieldSet): FieldSet {
  const children = Object.entries(node).filter(([step]) => step !== '!')
  const self = '!' in node && children.length > 0 ? { '.': none } : {}
  return { ...self, ...Object.fromEntries(children.map(([step, child]) => [step, tidy(child)])) }
}

const decode = (set: FieldSet): Paths => new Set([...pathsOf(set)].map(path => path.join('\n')))
const either = (left: Paths, right: Paths): Paths => new Set([...left, ...right])
const only = (left: Paths, right: Paths): Paths => new Set([...left].filter(path => !right.has(path)))
const common = (left: Paths, right: Paths): Paths => new Set([...left].filter(path => right.has(path)))
const sorted = (set: Paths): string[] => [...set].sort()

describe('a field set', () => {
  const both = (check: (left: Paths, right: Paths) => void) => fc.assert(fc.property(paths, paths, check))

  it('is read as it was written', () => {
    fc.assert(fc.property(paths, set => assert.deepEqual(sorted(decode(encode(set))), sorted(set))))
  })

  it('unites like a set of paths', () => {
    both((left, right) => {
      const result = union(deepFreeze(encode(left)), deepFreeze(encode(right)))
      assert.deepEqual(sorted(decode(result)), sorted(either(left, right)))
      assert.ok(sameSet(result, encode(either(left, right))), 'and is written in the one way')
    })
  })

  it('subtracts exact paths, descendants stay', () => {
    both((left, right) => {
      const result = difference(deepFreeze(encode(left)), deepFreeze(encode(right)))
      assert.ok(sameSet(result, encode(only(left, right))))
    })
  })

  it('intersects like a set of paths', () => {
    both((left, right) => {
      const result = intersection(deepFreeze(encode(left)), deepFreeze(encode(right)))
      assert.ok(sameSet(result, encode(common(left, right))))
    })
  })

  it('is itself again when nothing is added or taken', () => {
    both((left, right) => {
      const set = encode(left)
      const within = encode(common(left, right))
      const outside = encode(only(right, left))
      assert.equal(union(set, within), left.size > 0 ? set : union(set, within))
      assert.equal(difference(set, outside), set)
    })
  })

  it('is the same only when it has the same paths', () => {
    both((left, right) => {
      const isEqual = left.size === right.size && only(left, right).size === 0
      assert.equal(sameSet(encode(left), encode(right)), isEqual)
    })
  })

  it('tells members from mere containers', () => {
    const set: FieldSet = { 'f:a': {}, 'f:b': { 'f:c': {} }, 'f:d': { '.': {}, 'f:e': {} } }
    assert.deepEqual(
      Object.keys(set).map(key => isMember(set[key])),
      [true, false, true],
    )
    assert.equal(isBare(difference(set, set)), true)
    assert.deepEqual(difference(set, { 'f:a': {}, 'f:b': {}, 'f:d': {} }), {
      'f:b': { 'f:c': {} },
      'f:d': { 'f:e': {} },
    })
  })

  it('names its paths as people read them', () => {
    const set: FieldSet = {
      'f:spec': {
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } },
        'f:tags': { 'v:"x y"': {} },
      },
    }
    assert.deepEqual([...pathsOf(set)].map(pathText), [
      '.spec.ports[port=80,protocol="TCP"]',
      '.spec.ports[port=80,protocol="TCP"].name',
      '.spec.tags[="x y"]',
    ])
  })
})
