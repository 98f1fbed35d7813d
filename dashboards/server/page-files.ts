import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { LatidoError } from '../../streams/errors/index.ts'
import { ApiError } from './api-error.ts'

const YEAR_S = 31_536_000

/** Serves the built pages. Files under `assets/` carry their content's hash in their name and never change; all else is asked for again. */
export async function servePages (app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  if (webRoot !== undefined) {
    if (!existsSync(join(webRoot, 'index.html'))) throw new LatidoError('NOT_BUILT', 'the pages of the dashboards are not built', 'run `npm run build`')
    await app.register(fastifyStatic, {
      root: webRoot, cacheControl: false, wildcard: true, decorateReply: true,
      setHeaders: (response, path) => { response.setHeader('cache-control', path.includes(`${sep}assets${sep}`) ? `public, max-age=${YEAR_S}, immutable` : 'no-cache') },
    })
  }
  app.setNotFoundHandler(async ({ method, url, headers }, reply) => {
    const isPage = webRoot !== undefined && (method === 'GET' || method === 'HEAD') && !/^\/(?:api|assets)(?:[/?]|$)/.test(url) && (headers.accept ?? '*/*').match(/text\/html|\*\/\*/) !== null
    if (isPage) return reply.sendFile('index.html')
    throw new ApiError(404, 'NOT_FOUND', 'nothing is served at this path', 'GET /api/openapi.json lists what is')
  })
}
