import Fastify, { type FastifyInstance } from 'fastify'
import type { FeatureReader } from '../../features/serving/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { alertRoutes } from './alert-routes.ts'
import { errorHandler } from './api-error.ts'
import { acceptBodies } from './bodies.ts'
import { catalogueRoutes } from './catalogue-routes.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { featureRoutes } from './feature-routes.ts'
import { feedRoutes } from './feed-routes.ts'
import { guardRequests, refuseExposure } from './guards.ts'
import { LIVE_DEFAULTS, LiveHub, type LiveOptions } from './live.ts'
import { silentLogger, type DashboardLogger } from './logger.ts'
import { apiDescriptionRoutes, describeApi } from './openapi.ts'
import { servePages } from './page-files.ts'
import { patientRoutes } from './patient-routes.ts'
import type { DashboardSources } from './sources.ts'
import { liveRoute, systemRoutes } from './system-routes.ts'

export interface DashboardOptions {
  /** Loopback, unless `allowExposed`. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly sources: DashboardSources
  /** Serves features online; undefined leaves their routes out. */
  readonly features?: FeatureReader
  /** Folder of the built pages (`dist/web`); undefined serves the API alone. */
  readonly webRoot?: string | undefined
  readonly logger?: DashboardLogger
  /** Listens beyond this machine although nobody must log in. */
  readonly allowExposed?: boolean
  readonly live?: Partial<LiveOptions>
}

export interface Dashboards extends AsyncDisposable {
  /** `http://127.0.0.1:8080` */
  readonly url: string
  close (): Promise<void>
}

/** Every route, not listening yet. */
export async function buildDashboards (options: Omit<DashboardOptions, 'host' | 'port'>): Promise<FastifyInstance> {
  const { sources, logger = silentLogger } = options
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 65_536, routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true } })
  app.setErrorHandler(errorHandler(logger))
  guardRequests(app, options.allowExposed === true)
  acceptBodies(app)
  app.addHook('onSend', async (_request, reply) => { if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store') })
  const hub = new LiveHub(sources, { ...LIVE_DEFAULTS, ...options.live }, logger)
  app.addHook('preClose', async () => { hub.close() })
  await describeApi(app, sources.version)
  systemRoutes(app, sources)
  patientRoutes(app, sources)
  alertRoutes(app, sources)
  if (sources.feeds !== undefined) feedRoutes(app, sources.feeds, sources.clock)
  if (sources.deadLetters !== undefined) deadLetterRoutes(app, sources.deadLetters, { clock: sources.clock, allowExposed: options.allowExposed === true, feeds: () => sources.feeds?.feeds().map(({ name }) => name) ?? [] })
  catalogueRoutes(app, sources.catalogue?.bind(sources))
  if (options.features !== undefined) featureRoutes(app, options.features)
  liveRoute(app, hub)
  apiDescriptionRoutes(app)
  await servePages(app, options.webRoot)
  await app.ready()
  return app
}

/**
 * Serves the pages, the API and the live stream. Throws UNSAFE_EXPOSURE where `host` is not loopback, PORT_IN_USE, CONFIG_INVALID where
 * the address is not to be had, and NOT_BUILT where `webRoot` has no pages. Writes no request to the log: URLs hold identifiers.
 */
export async function startDashboards (options: DashboardOptions): Promise<Dashboards> {
  const { host, port, logger = silentLogger } = options
  refuseExposure(host, options.allowExposed === true)
  const app = await buildDashboards(options)
  try {
    const url = await app.listen({ host, port })
    logger.info({ url }, 'dashboards listen')
    const close = async (): Promise<void> => { await app.close() }
    return { url, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await app.close()
    throw listenFailure(error, host, port)
  }
}

/** What a person can do about an address that is not to be had. */
export function listenFailure (error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return new LatidoError('PORT_IN_USE', `port ${port} on ${host} is in use`, 'set LATIDO_HTTP_PORT to a free port, or stop what listens there', error)
  if (code === 'EACCES') return new LatidoError('CONFIG_INVALID', `this user may not listen on port ${port}`, 'set LATIDO_HTTP_PORT to a port above 1023', error)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new LatidoError('CONFIG_INVALID', `${host} is not an address of this machine`, 'listen on 127.0.0.1', error)
  return error
}
