import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { Feed, fixedMapping, type Connector, type FeedMapping, type KeptTable } from '../../../connectors/kit/index.ts'
import { telemedicineConnector, telemedicineOptions, type ItemFault } from '../../../connectors/telemedicine/index.ts'
import { SCOPES } from '../../../connectors/telemedicine/options.ts'
import { TOPICS, type BedsideEvent, type DeadLetter } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { openHouse, read, type House } from '../kit/house.ts'

export const NOW_MS: number = Date.UTC(2031, 4, 6, 10, 0, 0)
export const ISSUER = 'https://login.hospital.test/'
export const AUDIENCE = 'https://latido.hospital.test/telemedicine'
export const ALL_SCOPES: string = SCOPES.join(' ')

/** An issuer of access tokens, with its key set in a file. */
export class Issuer {
  readonly jwksFile: string
  readonly #key: CryptoKey
  readonly #kid: string

  private constructor (jwksFile: string, key: CryptoKey, kid: string) { this.jwksFile = jwksFile; this.#key = key; this.#kid = kid }

  static async open (directory: string, kid: string = 'key-1'): Promise<Issuer> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwksFile = join(directory, 'jwks.json')
    writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...await exportJWK(publicKey), kid, alg: 'ES256', use: 'sig' }] }))
    return new Issuer(jwksFile, privateKey, kid)
  }

  token (claims: Readonly<Record<string, unknown>> = {}, nowMs: number = NOW_MS): Promise<string> {
    const now = Math.floor(nowMs / 1_000)
    return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'MRN-1', scope: ALL_SCOPES, iat: now, exp: now + 3_600, ...claims }).setProtectedHeader({ alg: 'ES256', kid: this.#kid }).sign(this.#key)
  }
}

/** A device token and its row in the tokens file. */
export function deviceToken (name: string, row: Readonly<Record<string, unknown>>): { readonly token: string, readonly row: Readonly<Record<string, unknown>> } {
  const token = `ldt_${createHash('sha256').update(name).digest('base64url')}`
  return { token, row: { name, sha256: createHash('sha256').update(token).digest('hex'), scopes: SCOPES, expires: '2031-12-31T00:00:00Z', ...row } }
}

export interface Answered { readonly status: number, readonly headers: Headers, readonly body: { readonly taken?: number, readonly refused?: number, readonly items?: readonly Readonly<Record<string, unknown>>[], readonly error?: { readonly code: string, readonly message: string } } }

/** A telemedicine API before a real intake and log, all in one directory: opened again on it, it is the same after a restart. */
export class Clinic {
  readonly house: House
  readonly connector: Connector
  readonly said: string[]

  private constructor (house: House, connector: Connector, said: string[]) { this.house = house; this.connector = connector; this.said = said }

  static async open (directory: string, clock: ManualClock, options: Readonly<Record<string, unknown>>, { log, mapping }: { readonly log?: (log: Log) => Log, readonly mapping?: FeedMapping } = {}): Promise<Clinic> {
    const house = await openHouse(directory, clock, log === undefined ? {} : { log })
    const parsed = telemedicineOptions.parse({ port: 0, ...options })
    const feed = new Feed<ItemFault>({ name: 'phones', kind: 'telemedicine', intake: house.intake, mapping: fixedMapping(mapping), map: telemedicineConnector.mapper(parsed) })
    const said: string[] = []
    const table = <T>(name: string): KeptTable<T> => (house.intake as unknown as { table: (name: string) => KeptTable<T> }).table(`phones-${name}`)
    try {
      const connector = await telemedicineConnector.start({ feed, clock, table, secret: () => { throw new Error('no secret is named') }, say: line => said.push(line) }, parsed)
      return new Clinic(house, connector, said)
    } catch (e) {
      await house.close()
      throw e
    }
  }

  async post (path: string, body: unknown, { token, key, headers = {} }: { readonly token?: string, readonly key?: string, readonly headers?: Readonly<Record<string, string>> }): Promise<Answered> {
    const response = await fetch(`${this.connector.endpoint}${path}`, {
      method: 'POST', body: typeof body === 'string' || body instanceof Uint8Array ? body as string : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...token === undefined ? {} : { authorization: `Bearer ${token}` }, ...key === undefined ? {} : { 'idempotency-key': key }, ...headers },
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as Answered['body'] }
  }

  async events (): Promise<readonly BedsideEvent[]> { return (await read(this.house.log, TOPICS.events, r => this.house.codecs.decode(r))).flatMap(one => one.kind === 'ok' ? [one.value] : []) }
  deadLetters (): Promise<readonly DeadLetter[]> { return read(this.house.log, TOPICS.deadLetters, r => this.house.codecs.decodeDeadLetter(r)) }
  async values (): Promise<readonly number[]> { return (await this.events()).flatMap(e => e.type === 'observations' ? e.observations.map(o => o.value) : []) }
  async close (): Promise<void> { await this.connector[Symbol.asyncDispose](); await this.house.close() }
}

export function heartRate (value: number, minute: number = 0): Readonly<Record<string, unknown>> {
  return { concept: 'heartRate', value, unit: '/min', takenAt: `2031-05-06T11:${String(minute).padStart(2, '0')}:00+02:00` }
}
