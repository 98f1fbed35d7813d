import { readFileSync } from 'node:fs'
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls'
import { z } from 'zod'
import { assert, LatidoError } from '../../streams/errors/index.ts'
import type { SecretRef } from '../kit/index.ts'
import { plainWord } from './context.ts'

/** A secret of the options, and then as it was read (`withSecrets`). */
export type TlsSecret = SecretRef | { readonly text: string }

/** Our private key, PEM: a file, or a secret; with the passphrase that opens it, if it has one. */
interface OwnKey {
  readonly keyFile?: string | undefined
  readonly key?: TlsSecret | undefined
  readonly passphrase?: TlsSecret | undefined
}

/** TLS of a listener: PEM. Senders show a certificate of `caFile`, unless `off` says that another place sees to who connects. */
export interface Hl7ServerTls extends OwnKey {
  readonly certFile: string
  readonly caFile?: string | undefined
  readonly clientCertificates: 'required' | 'off'
}

const path = z.string().min(1)
const secret = z.union([z.strictObject({ file: path }), z.strictObject({ env: path })])
const ownKey = { keyFile: path.optional(), key: secret.optional(), passphrase: secret.optional() }
const keys = ({ keyFile, key }: OwnKey): number => [keyFile, key].filter(one => one !== undefined).length

export const hl7ServerTlsSchema: z.ZodType<Hl7ServerTls> = z.strictObject({
  ...ownKey,
  certFile: path,
  caFile: path.optional(),
  clientCertificates: z.enum(['required', 'off']).default('required'),
}).refine(tls => keys(tls) === 1, { path: ['key'], error: 'names the private key: {"file": PATH} or {"env": NAME}; or keyFile does, and not both' })
  .refine(({ caFile, clientCertificates }) => clientCertificates === 'off' || caFile !== undefined, { path: ['caFile'], error: 'names the authority of the senders\' certificates; without it any authority would do' })

/** TLS towards a receiver. Without `caFile` the authorities that come with Node vouch for it. */
export interface Hl7ClientTls extends OwnKey {
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  /** The name in the receiver's certificate, where it is not its host's. */
  readonly serverName?: string | undefined
}

export const hl7ClientTlsSchema: z.ZodType<Hl7ClientTls> = z.strictObject({ ...ownKey, caFile: path.optional(), certFile: path.optional(), serverName: path.optional() })
  .refine(tls => keys(tls) === (tls.certFile === undefined ? 0 : 1), { path: ['certFile'], error: 'goes together with key, or with keyFile' })

/** The same with its secrets read. Throws what `open` throws. */
export function withSecrets<T extends OwnKey> (tls: T, open: (ref: SecretRef) => string): T {
  const read = (one: TlsSecret | undefined): TlsSecret | undefined => one === undefined || 'text' in one ? one : { text: open(one) }
  return { ...tls, key: read(tls.key), passphrase: read(tls.passphrase) }
}

const MIN_VERSION = 'TLSv1.3'

/** Throws FILE_UNREADABLE or FILE_INVALID, naming the option, never the path or what stands there. */
export function serverTls ({ caFile, clientCertificates, ...own }: Hl7ServerTls, handshakeMs: number): TlsOptions {
  const required = clientCertificates === 'required'
  return { ...contextOf({ ...own, ...required ? { caFile } : {} }), requestCert: required, rejectUnauthorized: required, handshakeTimeout: handshakeMs }
}

/** As `serverTls`, for one who connects. */
export function clientTls ({ serverName, ...files }: Hl7ClientTls): SecureContextOptions & { readonly servername?: string } {
  return { ...contextOf(files), ...serverName === undefined ? {} : { servername: serverName } }
}

interface Files extends OwnKey { readonly certFile?: string | undefined, readonly caFile?: string | undefined }

function contextOf ({ keyFile, key, passphrase, certFile, caFile }: Files): SecureContextOptions {
  return {
    minVersion: MIN_VERSION,
    ...keyFile === undefined ? {} : { key: pem('tls.keyFile', keyFile) },
    ...key === undefined ? {} : { key: pemText('tls.key', textOf(key)) },
    ...passphrase === undefined ? {} : { passphrase: textOf(passphrase) },
    ...certFile === undefined ? {} : { cert: pem('tls.certFile', certFile) },
    ...caFile === undefined ? {} : { ca: pem('tls.caFile', caFile) },
  }
}

function textOf (secret: TlsSecret): string {
  assert('text' in secret, 'the secrets of TLS are read before it begins')
  return secret.text
}

function pemText (option: string, text: string): string {
  if (!text.includes('-----BEGIN ')) throw new LatidoError('FILE_INVALID', `the secret of ${option} is not PEM`, 'give the key as PEM, with its first and last line')
  return text
}

function pem (option: string, path: string): Buffer {
  let bytes
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the file of ${option} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, 'check the path and its permissions', cause)
  }
  if (!bytes.includes('-----BEGIN ')) throw new LatidoError('FILE_INVALID', `the file of ${option} is not PEM`, 'convert it, for example with "openssl x509 -inform der"')
  return bytes
}

/**
 * Why a handshake came to nothing, for a counter. A peer that is not TLS, or below 1.3, or without a certificate of ours is refused; of a certificate that
 * its authority did not sign Node says only that the connection ended, and keeps the reason with the socket.
 */
export function handshakeFailure (e: NodeJS.ErrnoException, { authorizationError }: { readonly authorizationError?: unknown }): string {
  if (e.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'tls-handshake-timeouts'
  const left = e.code === 'ECONNRESET' || e.code === 'EPIPE'
  return left && (authorizationError === undefined || authorizationError === null) ? 'tls-handshakes-broken' : 'tls-handshakes-refused'
}

const NAMES_MAX = 64

/** The common names of senders' certificates as short plain words, for counters: so many, then `other`. */
export class CertificateNames {
  readonly #known = new Set<string>()

  /** `certificate-his`; undefined where the sender showed none. */
  counterOf (socket: TLSSocket): string | undefined {
    const subject: unknown = socket.getPeerCertificate().subject?.CN
    const common: unknown = Array.isArray(subject) ? subject[0] : subject
    if (typeof common !== 'string') return undefined
    const name = plainWord(common)
    if (!this.#known.has(name) && this.#known.size >= NAMES_MAX) return 'certificate-other'
    this.#known.add(name)
    return `certificate-${name === '' ? 'unnamed' : name}`
  }
}
