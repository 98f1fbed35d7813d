import { readFileSync } from 'node:fs'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { OauthToken } from '../../streams/log/index.ts'
import type { Clock } from '../../streams/time/index.ts'

/** The bytes of a file that an option names. Throws FILE_UNREADABLE. */
export function fileOf (option: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    throw new LatidoError('FILE_UNREADABLE', `the file of ${option} cannot be read (${code ?? messageOf(cause)})`, `check the path in ${option} and its permissions`)
  }
}

/** A password or token: the file's text without the white space around it. Throws FILE_UNREADABLE or FILE_INVALID. */
export function secretOf (option: string, file: string): string {
  const secret = fileOf(option, file).toString('utf8').trim()
  if (secret === '') throw new LatidoError('FILE_INVALID', `the file of ${option} is empty`, 'write the secret into it')
  return secret
}

/** PEM, as bytes. Throws FILE_UNREADABLE or FILE_INVALID. */
export function pemOf (option: string, file: string): Buffer {
  const pem = fileOf(option, file)
  if (!pem.includes('-----BEGIN ')) throw new LatidoError('FILE_INVALID', `the file of ${option} is not PEM`, 'convert it, for example with openssl')
  return pem
}

/**
 * The token of a file that somebody else renews: read at each login, so that a newer one is taken up before the old one runs out.
 * Its expiry is the JWT's `exp` (RFC 7519, 4.1.4, seconds). Throws CREDENTIALS_EXPIRED, FILE_UNREADABLE or FILE_INVALID.
 */
export function jwtOf (option: string, file: string, clock: Clock): OauthToken {
  const token = secretOf(option, file)
  const expiresAtMs = expiryOf(token)
  if (expiresAtMs === undefined) throw new LatidoError('FILE_INVALID', `the file of ${option} is not a JWT with an expiry`, 'let it be written by the agent of your identity provider')
  if (expiresAtMs <= clock.now()) throw new LatidoError('CREDENTIALS_EXPIRED', `the token of ${option} expired at ${new Date(expiresAtMs).toISOString()}`, 'look at the agent that renews the file')
  return { token, expiresAtMs }
}

function expiryOf (token: string): number | undefined {
  const [, claims] = token.split('.')
  try {
    const { exp } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString('utf8')) as { exp?: unknown }
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined
  } catch {
    return undefined // not JSON: an opaque token
  }
}
