import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LatidoError } from '../../streams/errors/index.ts'
import { ApiError } from './api-error.ts'

/** Only what this server itself serves may run, load, or be talked to; no page may frame it; no URL leaves in a referrer. */
export const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
} as const

export const LOOPBACK: RegExp = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i

/** Throws UNSAFE_EXPOSURE where `host` is not this machine alone: the API shows who patients are and asks for no password. */
export function refuseExposure (host: string, allowExposed: boolean): void {
  if (allowExposed || LOOPBACK.test(host)) return
  throw new LatidoError('UNSAFE_EXPOSURE', `the dashboards would listen on ${host}, beyond this machine, without a login`, 'listen on 127.0.0.1 behind a proxy that authenticates, or allow the exposure explicitly')
}

/** `127.0.0.1:8080` to `127.0.0.1`; `[::1]:80` to `[::1]`. */
function hostName (header: string): string { return header.replace(/:\d+$/, '') }

/**
 * Refuses requests under another name (DNS rebinding would let a foreign page read patients) and writes from another site.
 * Programs that send no Origin are not browsers and pass.
 */
export function guardRequests (app: FastifyInstance, allowExposed: boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS)
    if (!allowExposed && !LOOPBACK.test(hostName(request.headers.host ?? ''))) {
      throw new ApiError(403, 'HOST_REFUSED', 'the Host header does not name this machine', 'open the dashboards as http://127.0.0.1 or http://localhost')
    }
    if (request.method !== 'GET' && request.method !== 'HEAD' && isCrossSite(request)) {
      throw new ApiError(403, 'CROSS_SITE', 'a page of another site may not write here', 'send the request from the dashboards, or from a program without an Origin header')
    }
  })
}

function isCrossSite ({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  const { origin } = headers
  if (origin === undefined) return false
  const host = URL.canParse(origin) ? new URL(origin).host : ''
  return host === '' || host !== headers.host
}
