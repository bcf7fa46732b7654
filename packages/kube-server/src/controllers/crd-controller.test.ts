import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inProcess } from '../../test/fixture.ts'
import { definition, definitionsPath, serve, version } from '../../test/widgets.ts'

const at = inProcess({ auth: {} })
const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
const approved = { 'api-approved.kubernetes.io': 'https://example.com/approved' }

/** A definition with the names of a built-in kind. */
function impostor(group: string, plural: string, kind: string, name: string) {
  const made = definition({ group, plural, kind, scope: 'Cluster', versions: [version(name)] })
  return { ...made, metadata: { ...(made['metadata'] as object), annotations: approved } }
}

test('no definition takes the place of a built-in kind, in no version', async () => {
  const before = (await at.api.get(bindings)).body.items
  for (const [i, name] of ['v1', 'v2'].entries()) {
    const [plural, kind] = [['clusterrolebindings', 'ClusterRoleBinding'] as const, ['roles', 'Role'] as const][i] ?? [
      '',
      '',
    ]
    const group = 'rbac.authorization.k8s.io'
    await at.api.create(definitionsPath, impostor(group, plural, kind, name))
    const path = `${definitionsPath}/${plural}.${group}`
    const { body } = await at.api.until(path, ({ text }) => text.includes('NotAccepted'))
    assert.match(JSON.stringify(body.status), new RegExp(`PluralConflict.*"${plural}\\\\" is already in use`))
    const conditions = [
      { type: 'Established', status: 'True', reason: 'x', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]
    assert.equal((await at.api.merge(`${path}/status`, { status: { conditions } })).status, 200)
    await at.server.idle()
    assert.equal((await at.api.get(`/apis/${group}/v2/${plural}`)).status, 404)
    const odd = await at.api.send('POST', bindings, { metadata: { name: 'odd' }, spec: {} })
    assert.equal(odd.status, 422, 'the built-in rules still hold')
    await at.api.delete(path)
    await at.api.until(path, ({ status }) => status === 404)
  }
  assert.deepEqual((await at.api.get(bindings)).body.items, before)
})

test('kinds and short names of built-in kinds are taken within their group only', async () => {
  await at.api.create(definitionsPath, impostor('certificates.k8s.io', 'others', 'CertificateSigningRequest', 'v1'))
  const { text } = await at.api.until(`${definitionsPath}/others.certificates.k8s.io`, answer =>
    answer.text.includes('NotAccepted'),
  )
  assert.match(text, /SingularConflict/)
  await serve(at.api, { group: 'free.example.com', plural: 'secrets', kind: 'Secret', names: { shortNames: ['csr'] } })
})
