import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dependencyList } from './dependency-list.ts'
import { projectOf } from './project.ts'

const good = {
  'package.json': JSON.stringify({ name: 'workspace', devDependencies: { typescript: '7.0.2' } }),
  'packages/a/package.json': JSON.stringify({
    name: '@godwit/a',
    dependencies: { yaml: '2.9.1' },
    devDependencies: { '@godwit/b': '0.1.0' },
  }),
  'packages/a/src/a.ts': "import 'yaml'",
  'packages/a/src/a.test.ts': "import '@godwit/b'",
  'packages/b/package.json': JSON.stringify({ name: '@godwit/b' }),
  'docs/dependencies.md': '| Package | Why |\n|---|---|\n| `yaml` | parses |\n| `typescript` | checks |\n',
}
const problems = (changes: Record<string, string>) => dependencyList.run(projectOf({ ...good, ...changes }))

test('pinned, used and explained dependencies pass', () => {
  assert.deepEqual(problems({}), [])
})

test('a range instead of a version fails', () => {
  for (const range of ['^2.9.1', '~2.9.1', '*', '>=2', 'latest', '2.9'])
    assert.match(
      problems({
        'packages/a/package.json': JSON.stringify({
          name: '@godwit/a',
          dependencies: { yaml: range },
          devDependencies: { '@godwit/b': '0.1.0' },
        }),
      }).join(),
      /not an exact version/,
      range,
    )
})

test('a dependency that nobody imports fails', () => {
  assert.deepEqual(problems({ 'packages/a/src/a.ts': '', 'packages/a/src/b.test.ts': "import 'yaml'" }), [
    'packages/a/package.json:1: yaml is in the dependencies, but no shipped file of the package imports it',
  ])
  assert.match(problems({ 'packages/a/src/a.test.ts': '' }).join(), /@godwit\/b is in the devDependencies/)
})

test('a dependency without a line of reason fails', () => {
  const page = 'docs/dependencies.md'
  assert.match(problems({ [page]: '| `yaml` | parses |' }).join(), /typescript has no line of reason/)
  assert.match(problems({ [page]: `${good[page]}| \`zod\` | parses |` }).join(), /:5: zod is used nowhere/)
  assert.match(problems({ [page]: good[page].replace('checks', ' ') }).join(), /typescript has no reason/)
})
