/** The document of the API, made of the same schemas that check requests. */
import { z } from 'zod'
import { POLICIES } from '../auth/policies.ts'
import type { Route } from './route.ts'

type Json = Readonly<Record<string, unknown>>

/** It describes itself too. */
export function withOpenApi(routes: readonly Route[]): readonly Route[] {
  const own: Route = {
    method: 'GET',
    path: ['openapi.json'],
    policy: 'read',
    summary: 'This document',
    answer: z.record(z.string(), z.unknown()),
    handle: async () => openApi([...routes, own]),
  }
  return [...routes, own]
}

export function openApi(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes.filter(({ path }) => !path.includes('*'))) {
    const path = pathOf(route)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Subclouds that move between sites', version: '1.0' },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } } },
    paths,
  }
}

/** As the server is asked for it. */
export const pathOf = ({ path }: Route): string => {
  const parts = path.map(part => (part === ':ref' ? '{ref}' : part))
  return path[0] === 'v1' ? `/${parts.join('/')}` : `/v1.0/${parts.join('/')}`
}

function operation(route: Route): Json {
  const roles = POLICIES[route.policy].join(', ')
  const parameters = parametersOf(route)
  return {
    summary: route.summary,
    description: `For the roles ${roles}, in the project admin or services.`,
    ...(parameters.length > 0 && { parameters }),
    ...(route.request && { requestBody: requestBody(route, route.request) }),
    responses: {
      200: {
        description: 'Done',
        content: { 'application/json': { schema: route.answer ? schemaOf(route.answer, 'output') : {} } },
      },
      default: {
        description: 'An error, as JSON when the client accepts it',
        content: { 'application/json': { schema: ERROR } },
      },
    },
  }
}

const parametersOf = ({ path, query = {} }: Route): readonly Json[] => [
  ...(path.includes(':ref') ? [{ name: 'ref', in: 'path', required: true, schema: { type: 'string' } }] : []),
  ...Object.entries(query).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  })),
]

const ERROR = {
  type: 'object',
  properties: { message: { type: 'string' }, code: { type: 'string' }, title: { type: 'string' } },
}

function requestBody({ files }: Route, request: z.ZodType): Json {
  const schema = schemaOf(request, 'input')
  if (!files) return { content: { 'application/json': { schema } } }
  const parts = Object.fromEntries(files.map(name => [name, { type: 'string', description: 'A file of YAML' }]))
  const properties = { ...(schema['properties'] as Json), ...parts }
  return { content: { 'multipart/form-data': { schema: { ...schema, properties } } } }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  return rest
}
