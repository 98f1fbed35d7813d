import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { LatidoError } from '../../streams/errors/index.ts'
import type { Connector, ConnectorContext, ConnectorHealth, ConnectorKind } from '../kit/index.ts'
import { refuseOpenExposure } from '../kit/index.ts'
import { AccessTokens } from './access-tokens.ts'
import { Credentials } from './credentials.ts'
import { DeviceTokens } from './device-tokens.ts'
import type { ItemFault } from './envelope.ts'
import { IdempotencyKeys, type KeptKey } from './idempotency.ts'
import { KeySet } from './key-set.ts'
import { telemedicineMapper } from './map.ts'
import { TELEMEDICINE_LIMITS as LIMITS, telemedicineOptions, type TelemedicineOptions } from './options.ts'
import { RateLimit } from './rate-limit.ts'
import { buildServer } from './server.ts'

const PURGE_EVERY_MS = 60_000
const PURGE_KEYS = 1_000

/** An HTTP API for phone apps and telemedicine: home vitals, symptoms, questionnaires, each request answered when the log has it. */
export const telemedicineConnector: ConnectorKind<TelemedicineOptions, ItemFault> = {
  kind: 'telemedicine',
  summary: 'HTTP API for phone apps and clinics: home vitals, symptoms, questionnaires',
  options: telemedicineOptions,
  listens: ({ host, port }) => ({ host, port }),
  mapper: telemedicineMapper,
  start: startTelemedicine,
}

async function startTelemedicine (context: ConnectorContext<ItemFault>, options: TelemedicineOptions): Promise<Connector> {
  const { feed, clock } = context
  refuseExposed(options)
  const devices = options.tokensFile === undefined ? undefined : new DeviceTokens(options.tokensFile, clock)
  const count = (what: string): void => { feed.count(what) }
  const access = options.oauth === undefined ? undefined : new AccessTokens(options.oauth, new KeySet(options.oauth.jwks, clock, count), clock)
  const keys = new IdempotencyKeys(context.table<KeptKey>('idempotency'), clock, LIMITS)
  const standing = new Standing(context, devices)
  const tls = options.tls === undefined ? undefined : { cert: context.secret({ file: options.tls.certFile }), key: context.secret({ file: options.tls.keyFile }) }
  const app = await buildServer({ feed, clock, credentials: new Credentials(access, devices), rate: new RateLimit(clock, options.rate, LIMITS.credentialsMax), keys, tls, logIs: state => { standing.logIs(state) } })
  const endpoint = await listen(app, options)
  const stops = [
    clock.every(LIMITS.tokensReadEveryMs, () => { devices?.reload(); standing.look() }),
    clock.every(PURGE_EVERY_MS, () => { keys.purge(PURGE_KEYS).catch(() => { feed.count('keys-not-purged') }) }),
  ]
  return {
    name: feed.name,
    endpoint,
    health: () => standing.health,
    async [Symbol.asyncDispose] () {
      for (const stop of stops) stop()
      const done = new AbortController()
      await Promise.race([app.close(), clock.sleep(LIMITS.drainMsMax, done.signal)])
      done.abort()
      app.server.closeAllConnections()
    },
  }
}

/** How the connector stands: the log, and the file of tokens. */
class Standing {
  readonly #context: ConnectorContext<ItemFault>
  readonly #devices: DeviceTokens | undefined
  #log: 'here' | 'away' = 'here'
  health: ConnectorHealth

  constructor (context: ConnectorContext<ItemFault>, devices: DeviceTokens | undefined) {
    this.#context = context
    this.#devices = devices
    this.health = { state: 'up', since: context.clock.now(), why: '' }
  }

  logIs (state: 'here' | 'away'): void { this.#log = state; this.look() }

  look (): void {
    const wrong = this.#devices?.wrong ?? ''
    const state = wrong !== '' ? 'failed' : this.#log === 'away' ? 'waiting' : 'up'
    const why = wrong !== '' ? `${wrong}; the tokens of the last good file serve` : state === 'waiting' ? 'the log does not take messages' : ''
    if (state === this.health.state && why === this.health.why) return
    this.health = { state, since: this.#context.clock.now(), why }
    this.#context.say(`${this.#context.feed.name}: ${state}${why === '' ? '' : ` (${why})`}`)
  }
}

/** Whoever can connect could write into patients' records: never without credentials, and never over the network in the clear. */
function refuseExposed ({ host, tls, behindProxy, oauth, tokensFile }: TelemedicineOptions): void {
  const credentials = oauth !== undefined || tokensFile !== undefined
  refuseOpenExposure({ host, what: 'the telemedicine API', guarded: credentials, without: 'without credentials', action: 'set oauth or tokensFile' })
  refuseOpenExposure({ host, what: 'the telemedicine API', guarded: tls !== undefined || behindProxy, without: 'without TLS', action: 'set tls, or behindProxy where a proxy before it speaks TLS and nobody else reaches it' })
  if (!credentials) throw new LatidoError('CONFIG_INVALID', 'the telemedicine API has no credentials, so nobody could write', 'set oauth or tokensFile')
  if (oauth !== undefined && 'url' in oauth.jwks && !isTrusted(oauth.jwks.url)) throw new LatidoError('CONFIG_INVALID', 'the issuer\'s keys would be read unencrypted: whoever stands between could sign tokens', 'use the https address of oauth.jwks.url, or a file')
}

function isTrusted (url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

async function listen (app: FastifyInstance, { host, port, tls }: TelemedicineOptions): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (e) {
    await app.close()
    throw (e as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new LatidoError('PORT_IN_USE', `port ${port} for the telemedicine API is in use`, 'stop the other program, or choose another port for the feed', e)
      : new LatidoError('CONFIG_INVALID', `the telemedicine API cannot listen on ${host}:${port} (${(e as NodeJS.ErrnoException).code ?? 'unknown'})`, 'choose an address of this machine that this user may listen on', e)
  }
  const { address, port: bound, family } = app.server.address() as AddressInfo
  return `${tls === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
}
