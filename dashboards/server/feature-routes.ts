import type { FastifyInstance, FastifyReply } from 'fastify'
import { BINARY_MEDIA_TYPE, encodeBinary, encodeJson, type FeatureQuery, type FeatureReader } from '../../features/serving/index.ts'
import type { FeatureView } from '../../features/define/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { ApiError } from './api-error.ts'
import { entityParams, entityQuery, FEATURE_SCHEMAS, viewParams } from './feature-schemas.ts'
import { listOf, ref, responses } from './schemas.ts'
import { finite } from './to-wire.ts'

/** 1,000 keys of 256 characters, and the names of 4,096 features, are below. */
const BODY_BYTES_MAX = 1 << 20
const OCTETS = 'application/octet-stream'

interface Asked { readonly features?: readonly string[], readonly service?: string }

/** Features online: for a batch of entities as columns, for one as objects; and what there is. */
export function featureRoutes (app: FastifyInstance, reader: FeatureReader): void {
  for (const schema of FEATURE_SCHEMAS) app.addSchema(schema)
  batchRoute(app, reader)
  entityRoute(app, reader)
  catalogueRoutes(app, reader)
}

function batchRoute (app: FastifyInstance, reader: FeatureReader): void {
  const binary = { schema: { type: 'string', format: 'binary', description: 'docs/serving.md has the layout' } }
  app.post<{ Body: Asked & { readonly entities: readonly string[] } }>('/api/features/online', {
    bodyLimit: BODY_BYTES_MAX,
    schema: {
      operationId: 'readFeatures', summary: 'Features of a batch of entities, as of now', tags: ['features'],
      description: `JSON by columns, or with \`Accept: ${BINARY_MEDIA_TYPE}\` (or ${OCTETS}) the binary form. The rows of one entity are of one moment.`,
      body: ref('FeatureQuery'),
      response: {
        200: { description: 'Columns', content: { 'application/json': { schema: ref('OnlineFeatures') }, [BINARY_MEDIA_TYPE]: binary, [OCTETS]: binary } },
        ...Object.fromEntries([400, 403, 404, 413, 415, 500, 503].map(status => [status, ref('Error')])),
      },
    },
  }, async ({ body, headers: { accept = '' } }, reply) => {
    const table = await reader.read(queryOf(body), body.entities)
    if (accept.includes(BINARY_MEDIA_TYPE)) return sendBytes(reply, BINARY_MEDIA_TYPE, encodeBinary(table))
    if (accept.includes(OCTETS)) return sendBytes(reply, OCTETS, encodeBinary(table))
    return sendBytes(reply, 'application/json; charset=utf-8', encodeJson(table))
  })
}

function sendBytes (reply: FastifyReply, type: string, bytes: Buffer): FastifyReply { return reply.header('content-type', type).send(bytes) }

function queryOf ({ features, service }: Asked): FeatureQuery {
  if ((features === undefined) === (service === undefined)) throw new LatidoError('SELECTION_INVALID', features === undefined ? 'no features are named' : 'features and a service are named', 'name either features or a service')
  return service === undefined ? { features: features! } : { service }
}

function entityRoute (app: FastifyInstance, reader: FeatureReader): void {
  app.get<{ Params: { readonly entity: string }, Querystring: { readonly features?: string, readonly service?: string } }>('/api/features/online/:entity', {
    schema: { operationId: 'readEntityFeatures', summary: 'Features of one entity, as of now, each with the reason where it is absent', tags: ['features'], params: entityParams, querystring: entityQuery, response: responses(ref('EntityFeatures'), 400, 403, 404, 500, 503) },
  }, async ({ params: { entity: key }, query: { features, service } }) => {
    const table = await reader.read(queryOf({ ...features === undefined ? {} : { features: features.split(',').map(f => f.trim()) }, ...service === undefined ? {} : { service } }), [key])
    const views = table.entity(0)
    if (views.every(v => v.asOf === null)) throw new ApiError(404, 'ENTITY_UNKNOWN', 'nothing of these features was ever stored for this entity', 'use the key of the entity as on the topics, of a patient the pseudonym, URL-encoded')
    return { now: table.now, entity: table.selection.entity, key, views: views.map(v => ({ ...v, features: v.features.map(f => ({ ...f, value: finite(f.value) })) })) }
  })
}

function catalogueRoutes (app: FastifyInstance, { catalogue }: FeatureReader): void {
  app.get('/api/features/views', { schema: { operationId: 'listFeatureViews', summary: 'The views that are served', tags: ['features'], response: responses(listOf(ref('FeatureView')), 403, 500) } },
    async () => catalogue.views.map(described))
  app.get<{ Params: { readonly view: string } }>('/api/features/views/:view', { schema: { operationId: 'getFeatureView', summary: 'One view', tags: ['features'], params: viewParams, response: responses(ref('FeatureView'), 400, 403, 404, 500) } },
    async ({ params: { view } }) => described(catalogue.view(view)))
  app.get('/api/features/services', { schema: { operationId: 'listFeatureServices', summary: 'The feature services: named lists of features', tags: ['features'], response: responses(listOf(ref('FeatureService')), 403, 500) } },
    async () => catalogue.services)
}

function described (view: FeatureView): Readonly<Record<string, unknown>> {
  const { name, version, entity, owner, description, ttlMs, names, units } = view
  return { name, version, entity, owner, description, ttlMs, features: names.map((feature, i) => ({ name: feature, unit: units[i]! })) }
}
