import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { SHARED_SCHEMAS } from './schemas.ts'

/** Registers the schemas and the generator; call before the routes. */
export async function describeApi (app: FastifyInstance, version: string, schemas: readonly object[] = SHARED_SCHEMAS): Promise<void> {
  for (const schema of schemas) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Latido', version, description: 'Bedside patients, features, alerts and the health of the pipeline. Times are milliseconds since 1970 UTC; what is not known is null.' },
      tags: [{ name: 'patients' }, { name: 'alerts' }, { name: 'features' }, { name: 'models' }, { name: 'feeds' }, { name: 'dead letters' }, { name: 'system' }, { name: 'live' }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => typeof json['$id'] === 'string' ? json['$id'] : `schema-${i}` },
  })
}

/** `/api/openapi.json`, and `/api`, a plain list of it for people. */
export function apiDescriptionRoutes (app: FastifyInstance): void {
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  app.get('/api', { schema: { hide: true } }, async (_request, reply) => reply.type('text/html; charset=utf-8').send(listing(app.swagger() as Described)))
}

interface Described { readonly info: { readonly title: string, readonly version: string }, readonly paths?: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>> }

function listing ({ info, paths = {} }: Described): string {
  const rows = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, { summary = '' }]) => `<tr><td>${method.toUpperCase()}</td><td><code>${escape(path)}</code></td><td>${escape(summary)}</td></tr>`))
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(info.title)} API</title></head><body><h1>${escape(info.title)} API ${escape(info.version)}</h1>`
    + `<p>Described in full by <a href="/api/openapi.json">/api/openapi.json</a>.</p><table><tbody>${rows.join('')}</tbody></table></body></html>`
}

function escape (text: string): string { return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;') }
