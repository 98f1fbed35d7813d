import type { Subscription } from 'fhir/r4.js'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { KeptTable } from '../../kit/index.ts'
import type { FhirClient } from '../http/index.ts'
import { list, type FhirResource } from '../resources/index.ts'
import type { WantedSubscription } from './options.ts'
import { subscriptionOf, whyRenew } from './subscription-resource.ts'

export interface KeeperParts {
  readonly client: FhirClient
  readonly clock: Clock
  /** Logical ids of our Subscriptions at the server, by key. */
  readonly ids: KeptTable<string>
  readonly reason: string
  readonly header: string
  readonly endpointOf: (key: string) => string
  readonly endAfterMs: DurationMs | undefined
  readonly signal: AbortSignal
  readonly count: (what: string) => void
}

/** What became of a subscription. `made` and `renewed`: what happened while there was none must be read. */
export type Kept = { readonly kind: 'made' | 'renewed' | 'stands', readonly id: string }

/** Sees to it that our Subscriptions stand at the server. Touches none that does not call our own address, and deletes none. */
export class Keeper {
  readonly #parts: KeeperParts
  readonly #ids = new Map<string, string>()

  constructor (parts: KeeperParts) {
    this.#parts = parts
    for (const [key, id] of parts.ids.load()) this.#ids.set(key, id)
  }

  idOf (key: string): string | undefined { return this.#ids.get(key) }

  /** Throws FHIR_UNREACHABLE, FHIR_REFUSED, FHIR_INVALID. */
  async keep (wanted: WantedSubscription): Promise<Kept> {
    const { clock, endAfterMs, endpointOf, header, reason } = this.#parts
    const end = endAfterMs === undefined ? undefined : new Date(clock.now() + endAfterMs).toISOString()
    const resource = subscriptionOf(wanted, { endpoint: endpointOf(wanted.key), header, reason, end })
    const there = await this.#there(wanted, resource)
    if (there === undefined) return await this.#make(wanted.key, resource)
    const why = whyRenew(there.resource, resource, clock.now(), endAfterMs)
    if (why === undefined) return { kind: 'stands', id: await this.#remember(wanted.key, there.resource.id!) }
    this.#parts.count(`subscription-${why}`)
    return await this.#renew(wanted.key, there, resource)
  }

  /** By its id; else, where the table was lost, one that calls exactly our address. */
  async #there ({ key }: WantedSubscription, { channel }: Subscription): Promise<{ readonly resource: Subscription, readonly etag: string | undefined } | undefined> {
    const { client, signal } = this.#parts
    const id = this.#ids.get(key)
    if (id !== undefined) {
      const read = await client.read('Subscription', id, { signal })
      if (read.kind === 'found' && read.resource.resourceType === 'Subscription') return { resource: read.resource, etag: read.etag }
    }
    const answer = await client.fetch(`Subscription?url=${encodeURIComponent(channel.endpoint ?? '')}&_count=10`, { signal, expects: [400, 403, 404, 405, 501] })
    if (answer.status !== 200) return undefined // a server that cannot be searched so
    const ours = subscriptionsIn(answer.body).find(one => one.channel?.endpoint === channel.endpoint && one.id !== undefined)
    return ours === undefined ? undefined : { resource: ours, etag: ours.meta?.versionId === undefined ? undefined : `W/"${ours.meta.versionId}"` }
  }

  async #make (key: string, resource: Subscription): Promise<Kept> {
    const { client, signal, count } = this.#parts
    const outcome = await client.post('Subscription', resource, { signal })
    if (outcome.kind !== 'written' || outcome.id === undefined) throw refusedSubscription(outcome.status)
    count('subscription-made')
    return { kind: 'made', id: await this.#remember(key, outcome.id) }
  }

  async #renew (key: string, there: { readonly resource: Subscription, readonly etag: string | undefined }, resource: Subscription): Promise<Kept> {
    const { client, signal } = this.#parts
    const id = there.resource.id!
    const outcome = await client.put(`Subscription/${id}`, { ...resource, id }, { signal, ...there.etag === undefined ? {} : { ifMatch: there.etag } })
    if (outcome.kind === 'conflict') return { kind: 'renewed', id: await this.#remember(key, id) } // the server moves its status itself: looked at again soon
    if (outcome.kind !== 'written') throw refusedSubscription(outcome.status)
    return { kind: 'renewed', id: await this.#remember(key, id) }
  }

  async #remember (key: string, id: string): Promise<string> {
    if (this.#ids.get(key) === id) return id
    this.#ids.set(key, id)
    await this.#parts.ids.save(key, id)
    return id
  }
}

function refusedSubscription (status: number): LatidoError {
  return new LatidoError('FHIR_REFUSED', `the FHIR server does not take the subscription (${status})`, 'check the scopes for Subscription, the criteria or topic, and whether the server allows the address; until then the feed is read by polling')
}

function subscriptionsIn (body: Buffer): readonly Subscription[] {
  try {
    const bundle = JSON.parse(body.toString('utf8')) as FhirResource
    return bundle.resourceType === 'Bundle' ? list(bundle.entry).flatMap(({ resource }) => resource?.resourceType === 'Subscription' ? [resource as Subscription] : []) : []
  } catch {
    return []
  }
}
