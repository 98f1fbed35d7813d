import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { FHIR_OPTIONS, fhirKind, type FhirOptions } from '../../../connectors/fhir/index.ts'
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

const harness: ConformanceHarness<FhirOptions> = {
  kind: fhirKind({}),
  mapping: MAPPING,
  open: async () => new PolledServer(await FakeFhirServer.start({ clock: systemClock })),
  message: (patient, n) => Buffer.from(JSON.stringify(heartRate(`${patient}-${n}`, 60 + n, { subject: { identifier: { system: MRN, value: patient } }, effectiveDateTime: new Date(BEGAN - 3_600_000 + n * 1_000).toISOString() }))),
  poison: Buffer.from(JSON.stringify(heartRate('poison', 9_999))),
}

describe('a polled FHIR server', () => {
  for (const check of conformanceChecks(harness)) it(check.name, async () => { await check.run() }, 120_000)
})
