import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeFields } from '../../test/api.ts'
import { inProcess } from '../../test/fixture.ts'
import { serve, widget, widgetsPath } from '../../test/widgets.ts'

const subresources = {
  status: {},
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
}
const at = inProcess({}, api => serve(api, { subresources }))
const path = `${widgetsPath}/s/scale`

test('a scale shows and changes two numbers of the object', async () => {
  const created = await at.api.create(widgetsPath, widget('s', { replicas: 2 }))
  await at.api.merge(`${widgetsPath}/s/status`, { status: { replicas: 1, selector: 'a=b' } })
  const shown = await at.api.get(path)
  assert.deepEqual([shown.body.kind, shown.body.apiVersion], ['Scale', 'autoscaling/v1'])
  assert.deepEqual([shown.body.spec, shown.body.status], [{ replicas: 2 }, { replicas: 1, selector: 'a=b' }])
  assert.equal(shown.body.metadata.uid, created.metadata.uid)
  const put = await at.api.send('PUT', path, { ...shown.body, spec: { replicas: 3 } })
  assert.equal(put.status, 200, put.text)
  assert.equal(put.body.spec['replicas'], 3)
  assert.equal((await at.api.send('PUT', path, { ...shown.body, spec: { replicas: 4 } })).status, 409)
  assert.equal((await at.api.merge(path, { spec: { replicas: 5 } })).body.spec['replicas'], 5)
  const { body } = await at.api.get(`${widgetsPath}/s`)
  assert.equal(body.spec['replicas'], 5)
  assert.equal(body.metadata.generation, 3)
})

test('a negative number is 422, an object that is not there 404', async () => {
  const negative = await at.api.merge(path, { spec: { replicas: -1 } })
  assert.equal(negative.status, 422)
  assert.deepEqual(causeFields(negative), ['spec.replicas'])
  assert.equal((await at.api.get(`${widgetsPath}/none/scale`)).status, 404)
  assert.equal((await at.api.merge(`${widgetsPath}/none/scale`, {})).status, 404)
})
