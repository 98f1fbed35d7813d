import { readFile, stat } from 'node:fs/promises'
import { createLocalJWKSet, errors, type CryptoKey, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../streams/time/index.ts'
import { TELEMEDICINE_LIMITS, type KeySetRef } from './options.ts'

/** The issuer's keys cannot be read, and none are known that may still serve. */
export class KeysUnavailable extends Error {}

const keySet: z.ZodType<JSONWebKeySet> = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })

type KeyOf = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

/** The public keys of an issuer (RFC 7517), from a file or an address: kept for ten minutes, read again at an unknown key id, at most each half minute. */
export class KeySet {
  readonly #ref: KeySetRef
  readonly #clock: Clock
  readonly #count: (what: string) => void
  #keys: { readonly keyOf: KeyOf, readonly readAt: number } | undefined
  #triedAt = -Infinity
  #reading: Promise<void> | undefined

  constructor (ref: KeySetRef, clock: Clock, count: (what: string) => void) {
    this.#ref = ref
    this.#clock = clock
    this.#count = count
  }

  /** Throws KeysUnavailable, or as `createLocalJWKSet` does. */
  async keyFor (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.#ageMs() > TELEMEDICINE_LIMITS.keySetKeptMs) await this.#readAgain()
    try {
      return await this.#current()(header, token)
    } catch (e) {
      if (!(e instanceof errors.JWKSNoMatchingKey)) throw e
      await this.#readAgain() // the issuer may have changed its keys
      return await this.#current()(header, token)
    }
  }

  #current (): KeyOf {
    if (this.#keys === undefined || this.#ageMs() > TELEMEDICINE_LIMITS.keySetStaleMs) throw new KeysUnavailable('the key set of the issuer cannot be read')
    return this.#keys.keyOf
  }

  #ageMs (): number { return this.#keys === undefined ? Infinity : this.#clock.monotonicMs() - this.#keys.readAt }

  /** One reading at a time, for all who wait. Strangers' tokens cannot make us ask the issuer more often. */
  async #readAgain (): Promise<void> {
    if (this.#reading === undefined) {
      if (this.#clock.monotonicMs() - this.#triedAt < TELEMEDICINE_LIMITS.keySetAgainMs) return
      this.#triedAt = this.#clock.monotonicMs()
      this.#reading = this.#read().finally(() => { this.#reading = undefined })
    }
    await this.#reading
  }

  async #read (): Promise<void> {
    try {
      const parsed = keySet.parse(JSON.parse(await ('file' in this.#ref ? readSmall(this.#ref.file) : this.#fetch(this.#ref.url))))
      this.#keys = { keyOf: createLocalJWKSet(parsed), readAt: this.#clock.monotonicMs() }
    } catch {
      this.#count('key-set-unreadable') // what is known goes on serving, for a while
    }
  }

  async #fetch (url: string): Promise<string> {
    const abort = new AbortController()
    const done = new AbortController()
    void this.#clock.sleep(TELEMEDICINE_LIMITS.keySetMsMax, done.signal).then(() => { abort.abort() })
    try {
      const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/jwk-set+json, application/json' }, signal: abort.signal })
      if (!response.ok || response.body === null) throw new Error(`the key set answers ${response.status}`)
      const chunks: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length
        if (bytes > TELEMEDICINE_LIMITS.keySetBytesMax) throw new Error('the key set is too large')
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString()
    } finally {
      done.abort()
      abort.abort()
    }
  }
}

async function readSmall (file: string): Promise<string> {
  if ((await stat(file)).size > TELEMEDICINE_LIMITS.keySetBytesMax) throw new Error('the key set is too large')
  return await readFile(file, 'utf8')
}
