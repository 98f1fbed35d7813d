import { randomUUID } from 'node:crypto'
import { importJWK, importPKCS8, SignJWT, type CryptoKey, type JWK } from 'jose'
import { LatidoError } from '../../../streams/errors/index.ts'

/** What servers of the specification must take, at least one of them (SMART App Launch 2.2, asymmetric authentication). */
export const ALGORITHMS = ['RS384', 'ES384'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** At most five minutes, says the specification; servers' clocks differ, so it is taken early too. */
const VALID_SECONDS = 240
const MILLISECONDS = 1000

export interface SigningKey { readonly key: CryptoKey, readonly algorithm: Algorithm, readonly keyId: string }

/** A private key as PEM (PKCS #8) or as a JWK. The key id is the JWK's own where none is given; it names the public key in the client's JWKS. */
export async function readKey (secret: string, algorithm: Algorithm, keyId: string): Promise<SigningKey> {
  try {
    if (!secret.trimStart().startsWith('{')) return { key: await importPKCS8(secret, algorithm), algorithm, keyId: named(keyId) }
    const jwk = JSON.parse(secret) as JWK
    const key = await importJWK(jwk, algorithm)
    if (key instanceof Uint8Array) throw new TypeError('a symmetric key')
    return { key, algorithm, keyId: named(keyId === '' ? jwk.kid ?? '' : keyId) }
  } catch (e) {
    if (e instanceof LatidoError) throw e
    throw new LatidoError('CONFIG_INVALID', `the private key of the FHIR client cannot be read as ${algorithm}`, 'give a PKCS #8 PEM ("BEGIN PRIVATE KEY") or a private JWK that fits the algorithm')
  }
}

function named (keyId: string): string {
  if (keyId === '') throw new LatidoError('CONFIG_INVALID', 'the key of the FHIR client has no id', 'give auth.keyId, the kid of the public key that was registered')
  return keyId
}

/** A client assertion: iss = sub = the client, aud = the token endpoint, used once. */
export async function signAssertion ({ key, algorithm, keyId }: SigningKey, clientId: string, tokenEndpoint: string, nowMs: number): Promise<string> {
  const now = Math.floor(nowMs / MILLISECONDS)
  return await new SignJWT().setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
    .setIssuer(clientId).setSubject(clientId).setAudience(tokenEndpoint).setJti(randomUUID()).setIssuedAt(now).setExpirationTime(now + VALID_SECONDS).sign(key)
}
