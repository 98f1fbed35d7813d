import type { FastifyInstance } from 'fastify'

/** JSON, and an empty body of any kind, which means `{}`: every body here is optional, or says what it lacks. */
export function acceptBodies (app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {})
    else parseJson(request, body as string, done)
  })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') done(null, {})
    else done(Object.assign(new Error('unsupported media type'), { statusCode: 415 }))
  })
  app.addHook('preValidation', async request => { if (request.method === 'POST') request.body ??= {} })
}
