import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { LatidoError } from '../../streams/errors/index.ts'
import { lineOfShapeFault, readShape } from '../../streams/shapes/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import { hashOf, type Authentication, type Principal } from './principal.ts'
import { SCOPES, TELEMEDICINE_LIMITS } from './options.ts'

/** Says what it is wherever it turns up: in a log, in a scanner for leaked secrets. */
const PREFIX = 'ldt_'
const PATTERN = /^ldt_[A-Za-z0-9_-]{32,128}$/

export function isDeviceToken (token: string): boolean { return token.startsWith(PREFIX) }

const owner = z.strictObject({ id: z.string().min(1).max(256), authority: z.string().default('') })
const entry = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, ".", "_" and "-" alone, at most 64'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits in small letters'),
  patient: owner.optional(),
  clinic: z.strictObject({ authority: z.string().default('') }).optional(),
  scopes: z.array(z.enum(SCOPES)).min(1),
  expires: z.iso.datetime({ offset: true }),
  revoked: z.boolean().default(false),
}).refine(one => (one.patient === undefined) !== (one.clinic === undefined), 'exactly one of patient and clinic')
const tokensFile = z.strictObject({ tokens: z.array(entry).max(100_000) })

interface DeviceToken { readonly principal: Principal, readonly expiresAt: number, readonly revoked: boolean }

/**
 * Opaque tokens of devices and apps. The file has the SHA-256 of each, never the token: they are random, so a plain hash keeps them. It is read again when it
 * changes; a token that was taken out, or says `revoked`, is refused from then on.
 */
export class DeviceTokens {
  readonly #path: string
  readonly #clock: Clock
  #byHash: ReadonlyMap<string, DeviceToken>
  #stamp: string
  #wrong = ''

  /** Throws FILE_UNREADABLE or FILE_INVALID. */
  constructor (path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    this.#stamp = stampOf(path)
    this.#byHash = readTokens(path)
  }

  /** Why the newest file does not serve; empty when it does. The tokens of the last good one go on. */
  get wrong (): string { return this.#wrong }

  authenticate (token: string): Authentication {
    const known = PATTERN.test(token) ? this.#byHash.get(createHash('sha256').update(token).digest('hex')) : undefined
    if (known === undefined) return { kind: 'refused', why: 'unknown' }
    if (known.revoked) return { kind: 'refused', why: 'revoked' }
    if (known.expiresAt <= this.#clock.now()) return { kind: 'refused', why: 'expired' }
    return { kind: 'known', principal: known.principal }
  }

  /** Reads the file again if it has changed. */
  reload (): void {
    try {
      const stamp = stampOf(this.#path)
      if (stamp === this.#stamp) return
      this.#byHash = readTokens(this.#path)
      this.#stamp = stamp
      this.#wrong = ''
    } catch (e) {
      this.#wrong = e instanceof LatidoError ? e.message : 'the tokens file cannot be read'
    }
  }
}

/** A replaced file is another one, however fast and however large. */
function stampOf (path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    if (size > TELEMEDICINE_LIMITS.tokensFileBytesMax) throw new LatidoError('FILE_INVALID', 'the tokens file is too large', 'take expired tokens out of it')
    return `${mtimeMs} ${size} ${ino}`
  } catch (e) {
    throw e instanceof LatidoError ? e : new LatidoError('FILE_UNREADABLE', 'the tokens file cannot be read', 'check tokensFile of the feed, and the permissions of the file', e)
  }
}

function readTokens (path: string): ReadonlyMap<string, DeviceToken> {
  const read = readShape(tokensFile, parse(path), 'hidden')
  if (read.kind === 'invalid') throw new LatidoError('FILE_INVALID', `the tokens file: ${lineOfShapeFault(read.faults[0])}`, 'docs/connectors/telemedicine.md describes it')
  const { tokens } = read.value
  const byHash = new Map(tokens.map(one => [one.sha256, tokenOf(one)]))
  if (byHash.size < tokens.length || new Set(tokens.map(one => one.name)).size < tokens.length) throw new LatidoError('FILE_INVALID', 'the tokens file has a name or a hash twice', 'give each token a name and a secret of its own')
  return byHash
}

function parse (path: string): unknown {
  let text: string
  try { text = readFileSync(path, 'utf8') } catch (e) { throw new LatidoError('FILE_UNREADABLE', 'the tokens file cannot be read', 'check tokensFile of the feed, and the permissions of the file', e) }
  try { return JSON.parse(text) } catch { throw new LatidoError('FILE_INVALID', 'the tokens file is not JSON', 'docs/connectors/telemedicine.md describes it') }
}

function tokenOf ({ name, patient, clinic, scopes, expires, revoked }: z.infer<typeof entry>): DeviceToken {
  const writes: Principal['writes'] = patient === undefined ? { kind: 'clinic', authority: clinic?.authority ?? '' } : { kind: 'patient', ...patient }
  return { principal: { id: hashOf('device', name), scopes: new Set(scopes), writes }, expiresAt: Date.parse(expires), revoked }
}
