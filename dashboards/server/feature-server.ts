import Fastify, { type FastifyInstance } from 'fastify'
import type { FeatureReader } from '../../features/serving/index.ts'
import { errorHandler } from './api-error.ts'
import { acceptBodies } from './bodies.ts'
import { featureRoutes } from './feature-routes.ts'
import { guardRequests, refuseExposure } from './guards.ts'
import { silentLogger, type DashboardLogger } from './logger.ts'
import { apiDescriptionRoutes, describeApi } from './openapi.ts'
import { ref, SHARED_SCHEMAS } from './schemas.ts'
import { listenFailure, type Dashboards } from './server.ts'

export interface FeatureServerOptions {
  readonly features: FeatureReader
  readonly version: string
  /** Prometheus text. */
  readonly metrics: () => Promise<string>
  readonly ready?: () => boolean
  readonly logger?: DashboardLogger
  readonly allowExposed?: boolean
}

/** The routes of features online alone, with health, metrics and OpenAPI: serving that scales apart from the engine. Not listening yet. */
export async function buildFeatureServer ({ features, version, metrics, ready = () => true, logger = silentLogger, allowExposed = false }: FeatureServerOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 65_536, routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true } })
  app.setErrorHandler(errorHandler(logger))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: { code: 'NOT_FOUND', message: 'there is no such route', action: 'GET /api/openapi.json lists them' } }))
  guardRequests(app, allowExposed)
  acceptBodies(app)
  app.addHook('onSend', async (_request, reply) => { if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store') })
  await describeApi(app, version, SHARED_SCHEMAS.filter(schema => schema['$id'] === 'Error'))
  featureRoutes(app, features)
  app.get('/healthz', { schema: { operationId: 'getHealth', summary: '200 once features are served, 503 before', tags: ['system'], response: { 200: ref('Health'), 503: ref('Health') } } }, async (_request, reply) =>
    ready() ? { status: 'ok', version } : reply.code(503).header('retry-after', '1').send({ status: 'starting', version }))
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics()))
  apiDescriptionRoutes(app)
  await app.ready()
  return app
}

/** Throws UNSAFE_EXPOSURE where `host` is not loopback, PORT_IN_USE, and CONFIG_INVALID where the address is not to be had. */
export async function startFeatureServer (options: FeatureServerOptions & { readonly host: string, readonly port: number }): Promise<Dashboards> {
  const { host, port, allowExposed = false } = options
  refuseExposure(host, allowExposed)
  const app = await buildFeatureServer(options)
  try {
    const url = await app.listen({ host, port })
    const close = async (): Promise<void> => { await app.close() }
    return { url, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await app.close()
    throw listenFailure(error, host, port)
  }
}
