import type { FastifyInstance } from 'fastify'
import { ApiError } from './api-error.ts'
import type { LiveHub } from './live.ts'
import { exactly, listOf, ref, responses, text } from './schemas.ts'
import type { DashboardSources } from './sources.ts'
import { wireDrift, wirePipeline } from './to-wire.ts'
import type { WireDrift, WirePipeline, WireView } from './wire.ts'

/** Health, metrics, and what engineers watch. */
export function systemRoutes (app: FastifyInstance, sources: DashboardSources): void {
  const health = exactly({ status: { type: 'string', enum: ['ok', 'starting'] }, version: text })
  app.get('/healthz', { schema: { summary: '200 once everything runs, 503 before', tags: ['system'], response: { 200: health, 503: health } } }, async (_request, reply) =>
    sources.ready() ? { status: 'ok', version: sources.version } : reply.code(503).header('retry-after', '1').send({ status: 'starting', version: sources.version }))

  app.get('/metrics', { schema: { summary: 'Prometheus text', tags: ['system'] } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await sources.metrics()))

  app.get('/api/drift', { schema: { summary: 'The latest drift result of each feature', tags: ['models'], response: responses(listOf(ref('Drift')), 403, 500, 503) } },
    async (): Promise<WireDrift[]> => (await sources.drift()).map(wireDrift))

  app.get('/api/pipeline', { schema: { summary: 'Rates, lag, dead letters, connectors', tags: ['system'], response: responses(ref('Pipeline'), 403, 500, 503) } },
    async (): Promise<WirePipeline> => wirePipeline(await sources.pipeline(), sources.clock.now()))

  app.get('/api/views', { schema: { summary: 'The feature views', tags: ['models'], response: responses(listOf(ref('View')), 403, 500) } },
    async (): Promise<readonly WireView[]> => sources.views())
}

/** Server-sent events. */
export function liveRoute (app: FastifyInstance, hub: LiveHub): void {
  app.get<{ Querystring: { ward?: string } }>('/api/live', {
    exposeHeadRoute: false,
    schema: {
      summary: 'Server-sent events: `ward` (the board, at each change) and `pipeline` (each 2 s)', tags: ['live'], produces: ['text/event-stream'],
      querystring: { type: 'object', properties: { ward: { type: 'string', maxLength: 64 } } },
      response: { 400: ref('Error'), 403: ref('Error'), 503: ref('Error') },
    },
  }, async ({ query: { ward } }, reply) => {
    if (hub.full) throw new ApiError(503, 'TOO_MANY_CLIENTS', 'too many pages are open on this server', 'close pages that nobody watches, and come again')
    reply.hijack()
    hub.add(reply.raw, ward)
    return reply
  })
}
