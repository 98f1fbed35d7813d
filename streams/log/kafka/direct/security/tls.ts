import { isIP } from 'node:net'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { LatidoError, messageOf } from '../../../../errors/index.ts'
import type { KafkaTls } from '../../options.ts'

/** The broker's certificate is always checked, against its name. An address has no name to send (RFC 6066, 3). */
export function tlsOptions ({ ca, cert, key, servername }: KafkaTls, host: string, minVersion: SecureVersion): ConnectionOptions {
  const name = servername ?? (isIP(host) === 0 ? host : undefined)
  return {
    rejectUnauthorized: true, minVersion,
    ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }),
    ...(name === undefined ? {} : { servername: name }),
  }
}

const TLS_ALERT = /^ERR_SSL_/

/** In TLS 1.3 a broker refuses a client's certificate after the handshake: the first answer fails instead of the connection. */
export async function throwIfAuthenticationFailed<T> (first: () => Promise<T>): Promise<T> {
  try { return await first() } catch (e) {
    const cause: unknown = (e as Error).cause
    const code = (cause as { readonly code?: unknown } | undefined)?.code
    if (typeof code === 'string' && TLS_ALERT.test(code)) throw new LatidoError('BROKER_AUTHENTICATION_FAILED', `the broker ended the secure connection: ${messageOf(cause)}`, 'check the certificate that we present, and its key', e)
    throw e
  }
}
