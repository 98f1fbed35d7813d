import type { Clock } from '../../../streams/time/index.ts'
import type { Connector, KeptTable, Taken } from '../../kit/index.ts'
import { isResource, list, type FhirResource } from '../resources/index.ts'
import type { FhirClient } from '../http/index.ts'
import { deletionMessage } from '../polling/deletions.ts'
import type { References } from '../polling/references.ts'
import { envelopeOf } from '../resources/index.ts'
import { EventNumbers } from './event-numbers.ts'
import { readNotification, type Notification, type NotifiedEvent } from './notification.ts'
import type { OnDemand } from './on-demand.ts'
import type { SubscriptionLimits, WantedSubscription } from './options.ts'
import type { NewestFirst } from '../newest-first.ts'

/** What is kept of a topic subscription's counting: of which Subscription, and up to which event all is in the log. */
export interface KeptNumbers { readonly id: string, readonly contiguous: number }

export interface WatchedParts {
  readonly wanted: WantedSubscription
  readonly client: FhirClient
  readonly clock: Clock
  readonly feed: NewestFirst
  readonly references: References
  readonly rereading: OnDemand
  /** The connector that runs `rereading`. */
  readonly reader: Connector
  readonly numbers: KeptTable<KeptNumbers>
  readonly limits: SubscriptionLimits
  readonly signal: AbortSignal
  readonly idOf: (key: string) => string | undefined
}

/** What a notification became. `unread`: nothing that we understand. */
export type Heard = { readonly kind: 'taken' } | { readonly kind: 'refused', readonly cause: string } | { readonly kind: 'unread' }

/** One subscription: takes what is notified, finds what was not, and knows whether the server is alive. */
export class Watched {
  readonly #parts: WatchedParts
  #numbers: EventNumbers
  #id: string
  #heardAt: number
  #silent = false
  #recovering = false
  #saving: Promise<void> = Promise.resolve()

  constructor (parts: WatchedParts) {
    this.#parts = parts
    this.#heardAt = parts.clock.monotonicMs()
    const [kept] = [...parts.numbers.load()].filter(([key]) => key === parts.wanted.key).map(([, value]) => value)
    this.#numbers = new EventNumbers(kept?.contiguous)
    this.#id = kept?.id ?? ''
  }

  get key (): string { return this.#parts.wanted.key }
  get reader (): Connector { return this.#parts.reader }
  /** No heartbeat for too long: it is read by polling until one comes. */
  get silent (): boolean { return this.#silent }

  /** Everything since the last reading is read; the server is trusted to tell what comes after. */
  reread (why: string): void {
    this.#parts.feed.count(`reread-${why}`)
    void this.#parts.rereading.want()
  }

  /** A new Subscription counts from 0; what happened before it is read. */
  made (id: string): void {
    this.#id = id
    this.#numbers.reset(0)
    this.#heardAt = this.#parts.clock.monotonicMs()
    this.#save()
    this.reread('made')
  }

  /** A ping that holds nothing. */
  ping (): void { this.#alive(); this.reread('ping') }

  /** Resolves when the log has it; rejects when it does not, and then the server must send again. */
  async take (body: unknown, raw: Buffer): Promise<Heard> {
    if (!isResource(body)) return { kind: 'unread' }
    this.#alive()
    if (body.resourceType !== 'Bundle') return heard([await this.#event({ kind: 'resource', resource: body }, [])])
    const notification = readNotification(body)
    if (notification === undefined) return heard([await this.#parts.feed.take(raw)])
    return await this.#notification(notification)
  }

  /** At each look: the server is silent when it missed too many heartbeats. */
  look (): void {
    const { clock, limits, wanted } = this.#parts
    if (wanted.heartbeatSeconds === undefined) return
    const quietMs = clock.monotonicMs() - this.#heardAt
    if (quietMs <= wanted.heartbeatSeconds * 1_000 * (limits.heartbeatsMissedMax + 1)) return
    if (!this.#silent) this.#parts.feed.count('heartbeats-missed')
    this.#silent = true
    this.#heardAt = clock.monotonicMs() // the next look is a period later: until then it has been read
    this.reread('silent')
  }

  async #notification (notification: Notification): Promise<Heard> {
    const { status, events, context } = notification
    this.#parts.feed.count(`notification-${status.type}`)
    if (events.length > this.#parts.limits.eventsMax) return { kind: 'unread' }
    const ours = this.#isOurs(status.subscription)
    if (!ours) this.#parts.feed.count('foreign-subscription') // an earlier one of ours: what it tells is as true
    const taken: Taken[] = []
    for (const event of events) taken.push(await this.#event(event, context))
    const numbers = status.events.flatMap(({ number }) => number ?? [])
    if (ours) this.#counted(notification, numbers)
    if (status.status === 'error' || status.status === 'off') this.reread('off')
    return heard(taken)
  }

  /** Numbers count as taken when their events were in the notification; of one without content, when the reading is done. */
  #counted ({ status, events }: Notification, numbers: readonly number[]): void {
    const restarted = status.eventsSinceStart !== undefined && this.#numbers.contiguous !== undefined && status.eventsSinceStart < this.#numbers.contiguous && (status.type === 'handshake' || status.type === 'heartbeat')
    if (restarted) { this.#parts.feed.count('events-counted-anew'); this.#numbers.reset(status.eventsSinceStart!); this.reread('counted-anew') }
    const told = numbers.length > 0 ? numbers : status.type === 'event-notification' && status.eventsSinceStart !== undefined ? [status.eventsSinceStart] : []
    if (events.length === 0 && status.type === 'event-notification') { if (told.length > 0) this.#numbers.heard(Math.max(...told)); this.#fillByReading(); return }
    if (told.length > 0) this.#numbers.taken(told)
    if (status.eventsSinceStart !== undefined && !restarted && status.eventsSinceStart > (this.#numbers.contiguous ?? -1)) this.#numbers.heard(status.eventsSinceStart)
    this.#save()
    if (this.#numbers.missing !== undefined) void this.#recover()
  }

  /** Late ones are waited for; then the missing ones are asked for by number, and where the server cannot, everything since the last reading is read. */
  async #recover (): Promise<void> {
    if (this.#recovering) return
    this.#recovering = true
    try {
      await this.#parts.clock.sleep(this.#parts.limits.gapGraceMs, this.#parts.signal)
      const { missing } = this.#numbers
      if (missing === undefined || this.#parts.signal.aborted) return
      this.#parts.feed.count('gap')
      if (!await this.#asked(missing.from, missing.to).catch(() => false)) this.#fillByReading()
    } finally {
      this.#recovering = false
    }
  }

  #fillByReading (): void {
    const upTo = this.#numbers.highest
    this.#parts.feed.count('reread-gap')
    void this.#parts.rereading.want().then(() => { this.#numbers.filled(upTo); this.#save() })
  }

  /** `Subscription/[id]/$events` (backport IG). False: the server has it not, or not all of them. */
  async #asked (from: number, to: number): Promise<boolean> {
    const { client, signal, feed } = this.#parts
    const id = this.#parts.idOf(this.key)
    if (id === undefined) return false
    const answer = await client.fetch(`Subscription/${id}/$events?eventsSinceNumber=${from}&eventsUntilNumber=${to}&content=full-resource`, { signal, expects: [400, 403, 404, 405, 410, 422, 501] })
    if (answer.status !== 200) { feed.count('events-not-supported'); return false }
    const bundle: unknown = JSON.parse(answer.body.toString('utf8'))
    const notification = isResource(bundle) && bundle.resourceType === 'Bundle' ? readNotification(bundle) : undefined
    if (notification === undefined) return false
    for (const event of notification.events) await this.#event(event, notification.context)
    const numbers = notification.status.events.flatMap(({ number }) => number ?? [])
    this.#numbers.taken(numbers)
    feed.count('events-recovered', numbers.length)
    this.#save()
    return this.#numbers.missing === undefined
  }

  async #event (event: NotifiedEvent, context: readonly FhirResource[]): Promise<Taken> {
    const { client, references, feed, signal } = this.#parts
    if (event.kind !== 'resource') {
      const read = await client.read(event.type, event.id, { signal, mayBeForbidden: true }) // what was deleted may be there again by now
      // What the server tells of and will not show (a sealed record) would be told again for ever, and hold up what comes with it.
      if (read.kind === 'forbidden') { feed.count('notified-forbidden'); return NOTHING }
      if (read.kind === 'gone' || (read.kind === 'missing' && event.kind === 'deletion')) return await feed.take(await deletionMessage(client, references, { type: event.type, id: event.id, noticedAt: this.#serverNow() }, signal))
      if (read.kind !== 'found') { feed.count('notified-of-nothing'); return NOTHING }
      return await this.#resource(read.resource, context)
    }
    return await this.#resource(event.resource, context)
  }

  async #resource (resource: FhirResource, context: readonly FhirResource[]): Promise<Taken> {
    const { references, feed, signal } = this.#parts
    const includes = await references.includesOf(resource, signal)
    const others = context.filter(one => !includes.some(two => two.resourceType === one.resourceType && two.id === one.id))
    const taken = await feed.take(envelopeOf(resource, [...includes, ...others]))
    await references.note(resource)
    return taken
  }

  /** Notifications of deletions carry no time, and not every server has a history; what was written before this is older. The server's time is known to the second: its end. */
  #serverNow (): string { return new Date((this.#parts.client.serverTime() ?? this.#parts.clock.now()) + 999).toISOString() }

  #isOurs (subscription: string): boolean { return subscription === '' || subscription === (this.#parts.idOf(this.key) ?? subscription) }

  #alive (): void {
    this.#heardAt = this.#parts.clock.monotonicMs()
    this.#silent = false
  }

  /** An older number on disk means only that events are asked for again. */
  #save (): void {
    const { contiguous } = this.#numbers
    if (this.#parts.wanted.topic === undefined || contiguous === undefined) return
    this.#saving = this.#saving.then(() => this.#parts.numbers.save(this.key, { id: this.#parts.idOf(this.key) ?? this.#id, contiguous })).catch(() => { this.#parts.feed.count('position-not-kept') })
  }

  /** Nothing of it is on its way to the disk any more. */
  async settled (): Promise<void> { await this.#saving }
}

const NOTHING: Taken = { kind: 'taken', published: 0, duplicates: 0, refused: [] }

/** Garbage is answered as such; whatever else was refused is a dead letter that sending again would not mend. */
const GARBAGE: ReadonlySet<string> = new Set(['malformed', 'payload-invalid', 'too-large'])

function heard (all: readonly Taken[]): Heard {
  for (const one of list(all)) if (one.kind === 'refused' && GARBAGE.has(one.fault.cause)) return { kind: 'refused', cause: one.fault.cause }
  return { kind: 'taken' }
}
