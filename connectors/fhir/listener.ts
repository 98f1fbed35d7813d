import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'

export interface ListenerTls { readonly certFile: string, readonly keyFile: string }

export interface ListenerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** TLS 1.2 and later, from PEM files. */
  readonly tls?: ListenerTls | undefined
  /** `the CDS Hooks service`: for messages. */
  readonly what: string
  readonly bodyBytesMax: number
  readonly connectionsMax: number
}

/** Time that a client may take for its request. */
const REQUEST_MS_MAX = 30_000

/** An HTTP listener whose routes are still to be added; bodies arrive as bytes. Throws FILE_UNREADABLE. */
export function openListener ({ tls, bodyBytesMax, connectionsMax }: ListenerOptions): FastifyInstance {
  const limits = { logger: false, forceCloseConnections: 'idle' as const, bodyLimit: bodyBytesMax, requestTimeout: REQUEST_MS_MAX, connectionTimeout: REQUEST_MS_MAX, routerOptions: { maxParamLength: 256, ignoreTrailingSlash: true } }
  const app = (tls === undefined ? Fastify(limits) : Fastify({ ...limits, https: { cert: pem(tls.certFile), key: pem(tls.keyFile), minVersion: 'TLSv1.2' } })) as unknown as FastifyInstance
  app.server.maxConnections = connectionsMax
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.addHook('onSend', async (_request, reply) => { void reply.header('cache-control', 'no-store') })
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode } = error as { statusCode?: number }
    void reply.code(statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? statusCode : 500).send() // no text: it could hold what was sent
  })
  return app
}

/** Listens; answers its address, `https://127.0.0.1:8443`. Throws PORT_IN_USE, CONFIG_INVALID. */
export async function listenOn (app: FastifyInstance, { host, port, tls, what }: ListenerOptions): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (e) {
    await app.close()
    throw listenFailure(e as NodeJS.ErrnoException, host, port, what)
  }
  const address = app.server.address() as AddressInfo
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

function listenFailure (e: NodeJS.ErrnoException, host: string, port: number, what: string): LatidoError {
  return e.code === 'EADDRINUSE'
    ? new LatidoError('PORT_IN_USE', `port ${port} for ${what} is in use`, 'stop the program that uses it, or choose another port', e)
    : new LatidoError('CONFIG_INVALID', `${what} cannot listen on ${host}:${port}: ${messageOf(e)}`, 'choose an address of this machine and a port from 1024 to 65535', e)
}

function pem (file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (e) {
    throw new LatidoError('FILE_UNREADABLE', `a certificate or key file cannot be read (${(e as NodeJS.ErrnoException).code ?? messageOf(e)})`, 'check the paths and permissions of the TLS files in the feed\'s options')
  }
}
