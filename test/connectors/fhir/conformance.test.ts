import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { FHIR_OPTIONS, fhirConnector, type FhirOptions } from '../../../connectors/fhir/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { FakeFhirServer, type Resource } from './fake-server/index.ts'
import { heartRate, MAPPING, MRN } from './support.ts'

const BEGAN = systemClock.now() - 3_600_000

/** A server whose resources change in the order in which they are offered, a second apart; content that it has is no change. */
class PolledServer implements Counterparty<FhirOptions> {
  readonly #server: FakeFhirServer
  readonly #offered: number[] = []
  #at = BEGAN
  constructor (server: FakeFhirServer) { this.#server = server }
  options (): FhirOptions { return FHIR_OPTIONS.parse({ baseUrl: this.#server.baseUrl, types: ['Observation'], from: new Date(BEGAN).toISOString(), pageSize: 7, requestsPerMinute: 100_000, pollEveryMs: 1_000, timeoutMs: 600_000 }) }
  offer (messages: readonly Buffer[]): void { for (const message of messages) this.#offered.push(this.#server.store.put(JSON.parse(message.toString()) as Resource, this.#at += 1_000).at) }
  delivered (kept: (table: string) => ReadonlyMap<string, unknown>): number {
    const position = kept('position').get('position')
    const mark = position === undefined ? -Infinity : Date.parse((JSON.parse(position as string) as Record<string, string>)['Observation'] ?? '')
    return this.#offered.filter(at => at <= mark).length
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#server[Symbol.asyncDispose]() }
}

const PAUSE_MS = 5

/** A server that notifies by PUT where its Subscription says, as HAPI FHIR does: of each patient one after the other, and again until it was answered for good. */
class NotifyingServer implements Counterparty<FhirOptions> {
  readonly #server: FakeFhirServer
  readonly #lanes = new Map<string, Promise<void>>()
  readonly #ended = new AbortController()
  #away = new AbortController()
  #delivered = 0
  constructor (server: FakeFhirServer) { this.#server = server }
  options (): FhirOptions { return FHIR_OPTIONS.parse({ baseUrl: this.#server.baseUrl, mode: 'subscription', types: ['Observation'], requestsPerMinute: 100_000, timeoutMs: 600_000, subscription: { subscriptions: [{ key: 'vitals', criteria: 'Observation' }] } }) }
  disconnected (): void { this.#away.abort(); this.#away = new AbortController() }
  offer (messages: readonly Buffer[]): void {
    for (const message of messages) {
      const said = JSON.parse(message.toString()) as Resource & { readonly subject?: { readonly identifier?: { readonly value?: string } } }
      const { id, resource } = this.#server.store.put(said)
      const lane = said.subject?.identifier?.value ?? ''
      this.#lanes.set(lane, (this.#lanes.get(lane) ?? Promise.resolve()).then(() => this.#notify(`/Observation/${id}`, JSON.stringify(resource))))
    }
  }

  delivered (): number { return this.#delivered }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#ended.abort()
    this.disconnected()
    await Promise.all(this.#lanes.values())
    await this.#server[Symbol.asyncDispose]()
  }

  async #notify (path: string, body: string): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const subscription = this.#server.store.of('Subscription').at(-1) // each life listens on another port
      const endpoint = (subscription?.resource?.['channel'] as { readonly endpoint?: string } | undefined)?.endpoint
      const status = endpoint === undefined ? 0 : await fetch(`${endpoint}${path}`, { method: 'PUT', body, headers: { 'content-type': 'application/fhir+json' }, signal: this.#away.signal }).then(async response => { await response.arrayBuffer(); return response.status }, () => 0)
      if (status === 200 || status === 400) { this.#delivered++; return }
      await systemClock.sleep(PAUSE_MS, this.#ended.signal)
    }
  }
}

const harness: Omit<ConformanceHarness<FhirOptions>, 'open'> = {
  kind: fhirConnector,
  mapping: MAPPING,
  message: (patient, n) => Buffer.from(JSON.stringify(heartRate(`${patient}-${n}`, 60 + n, { subject: { identifier: { system: MRN, value: patient } }, effectiveDateTime: new Date(BEGAN - 3_600_000 + n * 1_000).toISOString() }))),
  poison: Buffer.from(JSON.stringify(heartRate('poison', 9_999))),
}

describe('a polled FHIR server', () => {
  for (const check of conformanceChecks({ ...harness, open: async () => new PolledServer(await FakeFhirServer.start({ clock: systemClock })) })) it(check.name, async () => { await check.run() }, 240_000)
})

describe('a FHIR server that notifies', () => {
  for (const check of conformanceChecks({ ...harness, open: async () => new NotifyingServer(await FakeFhirServer.start({ clock: systemClock })) })) it(check.name, async () => { await check.run() }, 240_000)
})
