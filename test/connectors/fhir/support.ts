import { Feed, fixedMapping, PLAIN_MAPPING, type FeedMapping, type KeptTable, type MappedMessage } from '../../../connectors/kit/index.ts'
import { envelopeOf, fhirMapper, type FhirMapperOptions } from '../../../connectors/fhir/index.ts'
import type { ManualClock } from '../../../streams/time/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'
import type { FakeFhirServer, Resource } from './fake-server/index.ts'

export const MRN = 'urn:oid:1.2.3.4'
export const MAPPING: FeedMapping = { ...PLAIN_MAPPING, namespaces: new Map([[MRN, '']]) }
export const AT = '2031-05-06T09:30:00Z'
export const AT_MS: number = Date.parse(AT)
export { NOW_MS }

export function patient (id: string, extra: object = {}): Resource {
  return { resourceType: 'Patient', id, identifier: [{ system: MRN, value: `MRN-${id}` }], birthDate: '1950-04-12', gender: 'female', ...extra }
}

export function heartRate (id: string, value: number, extra: object = {}): Resource {
  return {
    resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ code: 'vital-signs' }] }], code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, subject: { reference: 'Patient/p1' },
    effectiveDateTime: AT, valueQuantity: { value, unit: 'beats/minute', system: 'http://unitsofmeasure.org', code: '/min' }, ...extra,
  }
}

export interface MapOptions extends FhirMapperOptions { readonly mapping?: FeedMapping, readonly nowMs?: number, readonly includes?: readonly Resource[], readonly unmapped?: string[] }

/** Maps one resource of patient p1, who stands beside it. */
export function map (resource: object, options: MapOptions = {}): MappedMessage { return mapRaw(envelopeOf(resource as never, (options.includes ?? [patient('p1')]) as never), options) }

export function mapRaw (raw: Buffer, options: MapOptions = {}): MappedMessage {
  const { mapping = MAPPING, nowMs = NOW_MS, unmapped = [] } = options
  return fhirMapper(options)(raw, { now: nowMs, mapping, patientInBed: () => undefined, unmapped: code => { unmapped.push(`${code.system}|${code.code}`) } })
}

/** The events of a resource that must be taken whole. */
export function eventsOf (mapped: MappedMessage): readonly { readonly patient: { readonly id: string }, readonly event: Readonly<Record<string, unknown>> }[] {
  if (mapped.kind !== 'mapped') throw new Error(`rejected: ${mapped.fault.cause} (${mapped.fault.detail})`)
  return mapped.events as never
}

export function causeOf (mapped: MappedMessage): string { return mapped.kind === 'rejected' ? mapped.fault.cause : mapped.refused.map(one => one.fault.cause).join(',') }

/** A table in memory; it outlives the connector. */
export class MemoryTable<T> implements KeptTable<T> {
  readonly rows: Map<string, T> = new Map()
  beforeSave: (key: string) => void = () => {}
  load (): Iterable<readonly [string, T]> { return [...this.rows].map(([key, value]) => [key, JSON.parse(JSON.stringify(value)) as T] as const) }
  save (key: string, value: T | undefined): Promise<void> {
    this.beforeSave(key)
    if (value === undefined) this.rows.delete(key)
    else this.rows.set(key, JSON.parse(JSON.stringify(value)) as T)
    return Promise.resolve()
  }
}

export function feedOf (intake: FakeIntake, mapping: FeedMapping = MAPPING): Feed { return new Feed({ name: 'ehr', kind: 'fhir', intake, mapping: fixedMapping(mapping), map: fhirMapper() }) }

const TURNS = 6
const STEP_MS = 100

/**
 * Moves a hand clock while nothing happens: neither a request on its way (but those that the server holds by the same clock) nor a step of the connector. So a
 * simulated hour takes as long as its requests, and what is counted by the minute is exact.
 */
export async function runUntil (clock: ManualClock, server: FakeFhirServer, holds: () => boolean, limitMs: number = 6 * 3_600_000): Promise<void> {
  const end = clock.now() + limitMs
  while (!holds()) {
    if (clock.now() > end) throw new Error('it did not happen in the simulated time')
    let idle = 0
    while (idle < TURNS && !holds()) {
      await new Promise(resolve => { setImmediate(resolve) })
      idle = server.open + inFlight.count > server.waiting * 2 ? 0 : idle + 1
    }
    clock.advance(STEP_MS)
  }
}

/** Requests that a client has begun and whose answer it does not have yet. */
export const inFlight: { count: number } = { count: 0 }
const plainFetch = globalThis.fetch

/** `fetch` that says when it is busy, until the body has been read. */
export const countedFetch: typeof globalThis.fetch = async (input, init) => {
  inFlight.count++
  try {
    const response = await plainFetch(input, init)
    const body = response.status === 304 || response.status === 204 ? null : await response.arrayBuffer()
    return new Response(body, { status: response.status, headers: response.headers })
  } finally {
    inFlight.count--
  }
}
