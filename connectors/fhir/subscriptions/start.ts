import { assert, isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import { refuseOpenExposure, runSource, type Connector, type ConnectorContext, type ConnectorHealth } from '../../kit/index.ts'
import { polling, type StartSubscription } from '../kind.ts'
import { listenOn, openListener } from '../listener.ts'
import type { FhirServer } from '../open-server.ts'
import type { FhirOptions } from '../options.ts'
import { Keeper } from './keeper.ts'
import { OnDemand } from './on-demand.ts'
import { SUBSCRIPTION_LIMITS, type SubscriptionLimits, type SubscriptionOptions, type WantedSubscription } from './options.ts'
import { headerValueOf, pathOf, Receiver } from './receiver.ts'
import { newestFirst } from '../newest-first.ts'
import { Watched, type KeptNumbers } from './watched.ts'

const SECRET_CHARS_MIN = 16
const WHAT = 'the receiver of FHIR subscriptions'
/** A reading that nobody waits for begins at once when it is wanted. */
const AGAIN_MS = 1

/**
 * The mode in which the server calls. Receives notifications, keeps the subscriptions at the server, and reads everything again that it may not have been
 * told of: at the start, after a gap, after silence, after a notification that could not be taken, and for a server without heartbeats now and then.
 */
export const startSubscription: StartSubscription = (context, options, server) => startSubscriptionWith(context, options, server)

export async function startSubscriptionWith (context: ConnectorContext, options: FhirOptions, server: FhirServer, some: Partial<SubscriptionLimits> = {}): Promise<Connector> {
  const { subscription: said } = options
  assert(said !== undefined, 'options of the subscription mode say what is subscribed to')
  const limits = { ...SUBSCRIPTION_LIMITS, ...some }
  const { host, port, tls } = said
  const secret = secretOf(context, said)
  refuseOpenExposure({ host, what: WHAT, guarded: tls !== undefined && secret !== '', without: tls === undefined ? 'without TLS' : 'without a secret', action: 'give it `tls` and `secret`' })
  const listener = { host, port, tls, what: WHAT, bodyBytesMax: limits.bodyBytesMax, connectionsMax: limits.connectionsMax }
  const app = openListener(listener)
  const running = new Running(context, options, said, server, limits, secret)
  new Receiver({ feed: context.feed, clock: context.clock, watched: running.watched, secret, secretHeader: said.secretHeader, limits }).route(app)
  try {
    running.endpoint = await listenOn(app, listener)
  } catch (e) {
    await running.stop()
    throw e
  }
  running.start()
  return {
    name: context.feed.name,
    endpoint: running.endpoint,
    health: () => running.health(),
    [Symbol.asyncDispose]: async () => {
      await app.close() // answers what was received
      await running.stop()
    },
  }
}

class Running {
  readonly watched: ReadonlyMap<string, Watched>
  endpoint = ''
  readonly #context: ConnectorContext
  readonly #said: SubscriptionOptions
  readonly #limits: SubscriptionLimits
  readonly #stop = new AbortController()
  readonly #keeper: Keeper
  #kept: Promise<void> = Promise.resolve()
  #why = 'the subscriptions are not yet made'
  #since: number

  constructor (context: ConnectorContext, options: FhirOptions, said: SubscriptionOptions, server: FhirServer, limits: SubscriptionLimits, secret: string) {
    const { feed, clock } = context
    this.#context = context
    this.#said = said
    this.#limits = limits
    this.#since = clock.now()
    this.#keeper = new Keeper({
      client: server.client, clock, ids: context.table<string>('subscriptions'), reason: `Latido feed ${feed.name}`, header: secret === '' ? '' : `${said.secretHeader}: ${headerValueOf(said.secretHeader, secret)}`,
      endpointOf: key => `${said.publicUrl ?? this.endpoint}${pathOf(key)}`, endAfterMs: said.endAfterMs, signal: this.#stop.signal, count: what => { feed.count(what) },
    })
    const newest = newestFirst(context)
    const numbers = context.table<KeptNumbers>('event-numbers')
    this.watched = new Map(said.subscriptions.map(wanted => {
      const rereading = new OnDemand(polling(pollOptions(options, wanted), server), said.rereadEveryMs)
      const reader = runSource(rereading, { feed: newest, clock, positions: context.table<string>(`position-${wanted.key}`), limits: { pollEveryMs: AGAIN_MS } })
      return [wanted.key, new Watched({ wanted, ...server, clock, feed: newest, rereading, reader, numbers, limits, signal: this.#stop.signal, idOf: key => this.#keeper.idOf(key) })]
    }))
  }

  start (): void { this.#kept = this.#keep() }

  health (): ConnectorHealth {
    const silent = [...this.watched.values()].some(one => one.silent)
    const why = this.#why !== '' ? this.#why : silent ? 'no heartbeat from the FHIR server; it is read by polling' : ''
    if (why !== '') return { state: 'waiting', since: this.#since, why }
    return [...this.watched.values()].map(one => one.reader.health()).find(one => one.state !== 'up') ?? { state: 'up', since: this.#since, why: '' }
  }

  async stop (): Promise<void> {
    this.#stop.abort()
    await this.#kept
    for (const one of this.watched.values()) { await one.reader[Symbol.asyncDispose](); await one.settled() }
  }

  /** Looks again and again whether the subscriptions stand, and whether the server is alive. */
  async #keep (): Promise<void> {
    const { clock } = this.#context
    const { signal } = this.#stop
    let checkAt = 0
    while (!signal.aborted) {
      if (clock.monotonicMs() >= checkAt) checkAt = clock.monotonicMs() + (await this.#check() ? this.#limits.checkEveryMs : this.#limits.retryMs)
      for (const one of this.watched.values()) one.look()
      await clock.sleep(Math.min(this.#lookEveryMs(), Math.max(1, checkAt - clock.monotonicMs())), signal)
    }
  }

  async #check (): Promise<boolean> {
    try {
      for (const wanted of this.#said.subscriptions) {
        const kept = await this.#keeper.keep(wanted)
        const watched = this.watched.get(wanted.key)!
        if (kept.kind === 'made') watched.made(kept.id)
        if (kept.kind === 'renewed') watched.reread('renewed')
      }
      this.#tell('')
      return true
    } catch (e) {
      if (!this.#stop.signal.aborted) this.#tell(isLatidoError(e) ? e.message : 'the subscriptions could not be made')
      return false
    }
  }

  #tell (why: string): void {
    if (why === this.#why) return
    this.#why = why
    this.#since = this.#context.clock.now()
    this.#context.say(`${this.#context.feed.name}: ${why === '' ? 'the subscriptions stand' : `waiting (${why})`}`)
  }

  #lookEveryMs (): number {
    const beats = this.#said.subscriptions.flatMap(({ heartbeatSeconds }) => heartbeatSeconds ?? [])
    return beats.length === 0 ? this.#limits.checkEveryMs : Math.min(...beats) * 1_000 / 2
  }
}

/** Of each subscription alone, what its criteria say. */
function pollOptions (options: FhirOptions, { criteria }: WantedSubscription): FhirOptions {
  const [type = '', query = ''] = criteria.split('?')
  return { ...options, types: [type], filters: query === '' ? {} : { [type]: query } }
}

function secretOf (context: ConnectorContext, { secret }: SubscriptionOptions): string {
  if (secret === undefined) return ''
  const said = context.secret(secret)
  if (said.length < SECRET_CHARS_MIN) throw new LatidoError('CONFIG_INVALID', `the secret of the FHIR subscriptions has fewer than ${SECRET_CHARS_MIN} characters`, 'make a longer one, for example with `openssl rand -hex 32`')
  return said
}
