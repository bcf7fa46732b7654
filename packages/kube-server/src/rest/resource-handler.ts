/** Requests on resources: checks path and verb, reads the body, calls the operation, presents the result. */

import type { JsonObject } from '../api/object.ts'
import { invalid, StatusError } from '../api/status-error.ts'
import type { User } from '../api/user.ts'
import { assertAllowed } from '../auth/index.ts'
import { asObject, bodyFormat, decodeApplyBody, decodeObject, mediaType, unsupportedMediaType } from '../http/body.ts'
import {
  type ApiRequest,
  type ApiResponse,
  header,
  json,
  jsonHeaders,
  type ResponseHeaders,
  yamlHeaders,
} from '../http/message.ts'
import { negotiate, type Representation } from '../http/negotiate.ts'
import { parseJson } from '../http/parse-json.ts'
import { decodeProtobuf } from '../protobuf/index.ts'
import { scaleResource } from '../registry/builtin/reviews.ts'
import type { Resource, View } from '../registry/resource.ts'
import { type Call, type Core, keyOf } from './call.ts'
import type { Outcome } from './commit.ts'
import { createObject } from './create.ts'
import { type DeleteOptions, deleteObject, deleteOptions, successStatus, undecodableOptions } from './delete.ts'
import { deleteCollection } from './delete-collection.ts'
import { toDraft } from './draft.ts'
import { methodNotAllowed, noSuchResource } from './errors.ts'
import type { EventLineCache } from './event-lines.ts'
import { managerOf } from './manager.ts'
import { flag, listOptions, type WriteOptions, writeOptions } from './query.ts'
import { getObject, listObjects } from './read.ts'
import { presentList, presentObject, rowObjectOf } from './represent.ts'
import { type ResourcePath, type Verb, verbOf } from './route.ts'
import { scaled, scaleOf } from './scale.ts'
import { selectedName } from './selectors.ts'
import {
  applyPatch,
  changeObject,
  managerRequired,
  type PatchType,
  patcher,
  patchObject,
  replaceObject,
  untracked,
  type Write,
} from './update.ts'
import { warningHeaders } from './warning-headers.ts'
import { prepareWatch } from './watch.ts'

/** Answers POSTs that store nothing: reviews and token requests. Undefined when the resource is not its business. */
export type ReviewHandler = (call: Call, body: JsonObject) => Promise<JsonObject | undefined>

const patchTypes: ReadonlyMap<string, PatchType | 'apply'> = new Map<string, PatchType | 'apply'>([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
])

export class ResourceHandler {
  readonly #core: Core
  readonly #review: ReviewHandler
  readonly #lines: EventLineCache

  /** @param lines shared by handlers over the same registry, so that each event is written once */
  constructor(core: Core, review: ReviewHandler, lines: EventLineCache) {
    this.#core = core
    this.#review = review
    this.#lines = lines
  }

  /** Undefined when nothing of this path is known at all. Throws StatusError. */
  async handle(
    request: ApiRequest,
    path: ResourcePath,
    query: URLSearchParams,
    user: User,
  ): Promise<ApiResponse | undefined> {
    const verb = verbOf(request.method, path.name !== '', flag(query, 'watch'))
    if (!verb) throw methodNotAllowed()
    this.#authorize(user, verb, path, query)
    const resource = this.#core.registry.find(path.group, path.version, path.plural)
    if (!resource) {
      if (this.#core.registry.hasVersion(path.group, path.version)) throw noSuchResource()
      return undefined
    }
    checkPath(resource, path, verb)
    const { namespace, name, subresource } = path
    const call: Call = { request, user, resource, namespace, name, subresource, query, warnings: [] }
    if (resource.deprecationWarning) call.warnings.push(resource.deprecationWarning)
    const response = await this.#dispatch(call, verb)
    if (call.warnings.length === 0 || !('headers' in response)) return response
    return { ...response, headers: { ...response.headers, warning: warningHeaders(call.warnings) } }
  }

  #authorize(user: User, verb: Verb, path: ResourcePath, query: URLSearchParams): void {
    const isNamespace = path.group === '' && path.plural === 'namespaces'
    const selected = verb === 'list' || verb === 'watch' ? selectedName(query.get('fieldSelector') ?? '') : undefined
    assertAllowed(this.#core.authorizer, {
      user,
      verb,
      group: path.group,
      resource: path.plural,
      subresource: path.subresource,
      name: path.name || selected,
      namespace: path.namespace || (isNamespace ? path.name : ''),
    })
  }

  #dispatch(call: Call, verb: Verb): Promise<ApiResponse> {
    if (call.subresource === 'scale') return this.#scale(call, verb)
    switch (verb) {
      case 'get':
        return this.#get(call)
      case 'list':
        return this.#list(call)
      case 'watch':
        return this.#watch(call)
      case 'create':
        return this.#create(call)
      case 'update':
        return this.#update(call)
      case 'patch':
        return this.#patch(call)
      case 'delete':
        return this.#delete(call)
      case 'deletecollection':
        return this.#deleteCollection(call)
    }
  }

  async #get(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    return this.#present(call, 200, await getObject(this.#core, call), representation)
  }

  async #list(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    const { views, metadata } = await listObjects(this.#core, call, listOptions(call.query))
    return this.#presentList(call, views, metadata, representation)
  }

  #presentList(call: Call, views: readonly View[], metadata: JsonObject, representation: Representation): ApiResponse {
    const include = rowObjectOf(call.query)
    const nowMs = this.#core.clock.now()
    const pieces = presentList(call.resource, views, { representation, include, nowMs, metadata })
    return { kind: 'pieces', status: 200, headers: headersFor(representation), pieces }
  }

  async #watch(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    const options = listOptions(call.query)
    // Watching one object by its path is watching its collection for that name.
    const byName = call.name === '' ? options : { ...options, fieldSelector: `metadata.name=${call.name}` }
    const include = rowObjectOf(call.query)
    const open = prepareWatch(this.#core, { call, options: byName, representation, include, lines: this.#lines })
    return { kind: 'watch', status: 200, headers: headersFor(representation), open }
  }

  async #create(call: Call): Promise<ApiResponse> {
    const isReview = !call.resource.verbs.includes('get') || call.subresource !== ''
    const representation = negotiate(header(call.request, 'accept'), !isReview)
    const { value, duplicates } = readBody(call)
    if (isReview) {
      const answer = await this.#review(call, value)
      if (!answer) throw methodNotAllowed()
      return json(201, `${JSON.stringify(answer)}\n`)
    }
    this.#assertDefinitionLives(call)
    const options = writeOptions(call.query, 'create')
    const draft = toDraft(call, value, { duplicates, validation: options.fieldValidation, nameRequired: false })
    const outcome = await createObject(this.#core, call, draft, {
      dryRun: options.dryRun,
      tracking: trackingOf(call, options),
    })
    return this.#present(call, 201, outcome.view, representation)
  }

  /** No new instances of a kind that is being removed. */
  #assertDefinitionLives({ resource }: Call): void {
    if (!resource.custom) return
    const definition = this.#core.store.head({
      collection: 'customresourcedefinitions.apiextensions.k8s.io',
      namespace: '',
      name: resource.collection,
    })
    if (definition?.object.metadata.deletionTimestamp === undefined) return
    throw new StatusError(
      405,
      'MethodNotAllowed',
      'create not allowed while custom resource definition is terminating',
      {},
    )
  }

  async #update(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    const { value, duplicates } = readBody(call)
    const write = writeOf(call, writeOptions(call.query, 'update'))
    const draft = toDraft(call, value, { duplicates, validation: write.options.fieldValidation, nameRequired: true })
    return this.#presentOutcome(call, await replaceObject(this.#core, call, write, draft), representation)
  }

  async #patch(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    const type = patchTypeOf(call)
    const write = writeOf(call, writeOptions(call.query, 'patch'))
    if (type === 'apply') {
      if (!this.#core.tracksFields) throw untracked()
      if (write.options.fieldManager === '') throw managerRequired()
      const body = asObject(decodeApplyBody(call.request.body).value)
      if (!this.#core.store.head(keyOf(call.resource, call.namespace, call.name))) this.#assertDefinitionLives(call)
      return this.#presentOutcome(call, await applyPatch(this.#core, call, write, body), representation)
    }
    if (write.options.force !== undefined) throw forceForbidden()
    const { value, duplicates } = parseJson((call.request.body ?? '').toString())
    const outcome = await patchObject(this.#core, call, write, { type, body: value, duplicates })
    return this.#presentOutcome(call, outcome, representation)
  }

  async #delete(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    const deleted = await deleteObject(this.#core, call, readDeleteOptions(call))
    if (!deleted.isTerminating) return json(200, `${successStatus(call, deleted.view.object)}\n`)
    return this.#present(call, 200, deleted.view, representation)
  }

  async #deleteCollection(call: Call): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), true)
    const options = readDeleteOptions(call)
    const { views, metadata } = await deleteCollection(this.#core, call, options)
    return this.#presentList(call, views, metadata, representation)
  }

  async #scale(call: Call, verb: Verb): Promise<ApiResponse> {
    const representation = negotiate(header(call.request, 'accept'), false)
    const present = (view: View) =>
      this.#present({ ...call, resource: scaleResource }, 200, scaleOf(call, view.object), representation)
    if (verb === 'get') return present(await getObject(this.#core, call))
    const isPatch = verb === 'patch'
    const write = writeOf(call, writeOptions(call.query, isPatch ? 'patch' : 'update'))
    const scaleCall: Call = { ...call, resource: scaleResource, subresource: '' }
    const change = isPatch ? scalePatch(call) : () => readBody(scaleCall).value
    const outcome = await changeObject(this.#core, call, write, view => {
      const wanted = change(scaleOf(call, view.object).object)
      const draft = toDraft(
        { ...scaleCall, resource: { ...scaleResource, namespaced: call.resource.namespaced } },
        wanted,
        {
          duplicates: [],
          validation: write.options.fieldValidation,
          nameRequired: !isPatch,
        },
      )
      return scaled(call, view.object, draft)
    })
    return present(outcome.view)
  }

  #presentOutcome(call: Call, outcome: Outcome, representation: Representation): ApiResponse {
    return this.#present(call, outcome.status, outcome.view, representation)
  }

  #present(call: Call, status: number, view: View, representation: Representation): ApiResponse {
    const include = rowObjectOf(call.query)
    const nowMs = this.#core.clock.now()
    const body = presentObject(call.resource, view, { representation, include, nowMs })
    return json(status, body, headersFor(representation))
  }
}

/** Refuses paths and verbs that the resource does not have. Throws 404 or 405. */
function checkPath(resource: Resource, { namespace, name, subresource }: ResourcePath, verb: Verb): void {
  if (namespace !== '' && !resource.namespaced) throw noSuchResource()
  if (name !== '' && namespace === '' && resource.namespaced) throw noSuchResource()
  if (subresource !== '') {
    const known = resource.subresources.find(one => one.name === subresource)
    if (!known) throw noSuchResource()
    if (!known.verbs.includes(verb)) throw methodNotAllowed()
    return
  }
  // PUT and PATCH need a name, POST must not have one; over all namespaces there is only reading.
  const isOnCollection = verb === 'create' || verb === 'list' || verb === 'deletecollection'
  const fits = verb === 'watch' || isOnCollection === (name === '')
  const isReading = verb === 'list' || verb === 'watch'
  const hasPlace = !resource.namespaced || namespace !== '' || isReading
  if (!fits || !hasPlace || !resource.verbs.includes(verb)) throw methodNotAllowed()
}

const headersFor = ({ yaml }: Representation): ResponseHeaders => (yaml ? yamlHeaders : jsonHeaders)

function readBody({ request, resource }: Call) {
  const format = bodyFormat(header(request, 'content-type'))
  if (format === 'protobuf' && resource.custom) throw unsupportedMediaType(['application/json', 'application/yaml'])
  return decodeObject(request.body, format, decodeProtobuf)
}

function patchTypeOf({ request, resource }: Call): PatchType | 'apply' {
  const type = patchTypes.get(mediaType(header(request, 'content-type')))
  if (type && !(resource.custom && type === 'strategic')) return type
  const accepted = [...patchTypes.keys()].filter(one => !resource.custom || !one.includes('strategic'))
  throw unsupportedMediaType(accepted)
}

const forceForbidden = () =>
  invalid({ group: 'meta.k8s.io', plural: '', kind: 'PatchOptions', name: '' }, [
    { reason: 'FieldValueForbidden', message: 'Forbidden: may not be specified for non-apply patch', field: 'force' },
  ])

const trackingOf = (call: Call, options: WriteOptions) => ({
  manager: managerOf(call.request, options.fieldManager),
  isTracked: false,
})

const writeOf = (call: Call, options: WriteOptions): Write => ({ options, tracking: trackingOf(call, options) })

function scalePatch(call: Call): (scale: JsonObject) => JsonObject {
  const type = patchTypeOf(call)
  if (type === 'apply') throw unsupportedMediaType([...patchTypes.keys()].filter(one => !one.includes('apply')))
  return patcher({ resource: scaleResource }, type, parseJson((call.request.body ?? '').toString()).value)
}

function readDeleteOptions({ request, query }: Call): DeleteOptions {
  const { body } = request
  if (!body || body.length === 0) return deleteOptions(undefined, query)
  let value: JsonObject
  try {
    value = decodeObject(body, bodyFormat(header(request, 'content-type')), decodeProtobuf).value
  } catch (error) {
    throw error instanceof StatusError && error.code === 400 ? undecodableOptions(error.message) : error
  }
  return deleteOptions(value, query)
}
