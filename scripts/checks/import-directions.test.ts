import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importDirections } from './import-directions.ts'
import { projectOf } from './project.ts'

const manifest = (name: string, dependencies: string[] = [], devDependencies: string[] = []) => {
  const versions = (names: string[]) => Object.fromEntries(names.map(each => [each, '1.0.0']))
  return JSON.stringify({ name, dependencies: versions(dependencies), devDependencies: versions(devDependencies) })
}

const workspace = {
  'package.json': manifest('workspace', [], ['fast-check']),
  'packages/core/package.json': manifest('@godwit/core', ['@godwit/ports', 'zod']),
  'packages/engine/package.json': manifest('@godwit/engine', ['@godwit/core', '@godwit/hubs', 'pino']),
  'packages/hubs/package.json': manifest(
    '@godwit/hubs',
    ['@godwit/sites', '@godwit/simulation'],
    ['@godwit/kube-server'],
  ),
  'packages/kube-server/package.json': manifest('@godwit/kube-server'),
  'packages/ports/package.json': manifest('@godwit/ports'),
  'packages/simulation/package.json': manifest('@godwit/simulation'),
  'packages/sites/package.json': manifest('@godwit/sites'),
}

const problems = (path: string, source: string) => importDirections.run(projectOf({ ...workspace, [path]: source }))

test('an import down the layers that is declared passes', () => {
  assert.deepEqual(problems('packages/engine/src/a.ts', `import '@godwit/core'; import 'pino'; import 'node:fs'`), [])
})

test('an import up the layers fails', () => {
  assert.deepEqual(problems('packages/engine/src/a.ts', `\nimport '@godwit/hubs'`), [
    'packages/engine/src/a.ts:2: engine may not import hubs: arrows point down only',
  ])
})

test('domains may not import each other', () => {
  assert.match(problems('packages/hubs/src/a.ts', `import '@godwit/sites'`).join(), /hubs may not import sites/)
})

test('shipped code may not import the simulation, its tests may', () => {
  const source = `import '@godwit/simulation'`
  assert.match(problems('packages/hubs/src/a.ts', source).join(), /hubs may not import simulation/)
  assert.deepEqual(problems('packages/hubs/src/a.test.ts', source), [])
  assert.deepEqual(problems('packages/hubs/test/a.ts', source), [])
  assert.deepEqual(problems('demo/main.ts', source), [])
})

test('core may import neither the platform nor a package, even a declared one', () => {
  const found = problems('packages/core/src/a.ts', `import 'node:path'; import 'zod'; import '@godwit/ports'`)
  assert.deepEqual(
    found.map(problem => problem.replace(/^.*?: /, '')),
    ['core is pure: it may not import node:path', 'core is pure: it may not import zod'],
  )
  assert.deepEqual(problems('packages/core/src/a.test.ts', `import 'node:path'; import 'fast-check'`), [])
})

test('a relative import that leaves its package fails', () => {
  assert.match(problems('packages/hubs/src/a.ts', `import '../../core/src/x.ts'`).join(), /reaches into packages\/core/)
  assert.match(problems('packages/hubs/src/a.ts', `import '../../../demo/x.ts'`).join(), /leaves packages\/hubs/)
  assert.match(problems('demo/a.ts', `import '../packages/core/src/x.ts'`).join(), /reaches into packages\/core/)
  assert.match(problems('demo/a.ts', `import '../../x.ts'`).join(), /leaves the repository/)
  assert.deepEqual(problems('packages/hubs/src/a/b.ts', `import '../c.ts'`), [])
})

test('an undeclared package fails, and a development one fails in shipped code', () => {
  assert.match(problems('packages/hubs/src/a.ts', `import 'left-pad'`).join(), /left-pad is not in the dependencies/)
  assert.match(
    problems('packages/hubs/src/a.ts', `import 'fast-check'`).join(),
    /fast-check is not in the dependencies/,
  )
  assert.deepEqual(problems('packages/hubs/src/a.test.ts', `import 'fast-check'; import '@godwit/kube-server'`), [])
  assert.match(problems('packages/hubs/src/a.test.ts', `import '@godwit/engine'`).join(), /not in the devDependencies/)
})

test('a package that has no layer fails', () => {
  assert.match(problems('packages/odd/package.json', manifest('@godwit/odd')).join(), /packages\/odd.* has no row/)
})
