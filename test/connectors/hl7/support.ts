import { connect, type Socket } from 'node:net'
import { frame, Framer } from '../../../connectors/hl7/framer.ts'
import { readHeader } from '../../../connectors/hl7/header.ts'
import { HL7_LIMITS, type Hl7Limits } from '../../../connectors/hl7/limits.ts'
import { mapMessage } from '../../../connectors/hl7/map.ts'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import { parseMessage } from '../../../connectors/hl7/message.ts'
import { HL7_PROFILE, type Hl7Profile } from '../../../connectors/hl7/profile.ts'
import { hl7Mapper, startHl7, type Hl7Fault, type Hl7Options } from '../../../connectors/hl7/index.ts'
import { Feed, fixedMapping, PLAIN_MAPPING, type Connector, type FeedMapping, type Intake } from '../../../connectors/kit/index.ts'
import type { ObservationSet } from '../../../streams/events/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'

export const NOW: number = Date.UTC(2026, 2, 14, 12)

/** Segments to a message, CR after each. */
export const hl7 = (...segments: string[]): Buffer => Buffer.from(segments.map(s => `${s}\r`).join(''), 'utf8')

/** An ORU^R01 of an invented patient with the given OBX (and other) segments. */
export function oru (id: string, ...rows: string[]): Buffer {
  return hl7(`MSH|^~\\&|LAB|WARD7|LATIDO|HOSP|20260314115900+0000||ORU^R01^ORU_R01|${id}|P|2.5.1`, 'PID|1||TEST-1^^^HOSP^MR||Invented^Ana||19500412|F', 'OBR|1|P-9|F-9|PANEL^Panel^L|||20260314113000+0000', ...rows)
}

export function adt (trigger: string, id: string, ...segments: string[]): Buffer {
  return hl7(`MSH|^~\\&|HIS|HOSP|LATIDO|HOSP|20260314115900+0000||ADT^${trigger}^ADT_A01|${id}|P|2.5.1`, ...segments)
}

/** Maps as a feed would: with codes, zone, namespaces and beds of a test's own. */
export function mapRaw (raw: Buffer, given: string | Partial<FeedMapping> = {}, beds: Readonly<Record<string, string>> = {}, profile: Hl7Profile = HL7_PROFILE): Mapped {
  const mapping: FeedMapping = { ...PLAIN_MAPPING, ...typeof given === 'string' ? { zone: given } : given }
  const header = readHeader(raw)
  if (header === undefined) throw new Error('no header')
  const parsed = parseMessage(raw, header, HL7_LIMITS)
  if (parsed.kind !== 'ok') throw new Error(`not parsed: ${parsed.kind} ${parsed.detail}`)
  return mapMessage(parsed.message, { now: NOW, mapping, patientInBed: (ward, bed) => beds[`${ward}|${bed}`], unmapped: () => {} }, profile)
}

export function observationsOf (mapped: Mapped): ObservationSet {
  if (mapped.kind !== 'mapped') throw new Error(mapped.fault.detail)
  const event = mapped.events[0]?.event
  if (event?.type !== 'observations') throw new Error('no observations')
  return event
}

/** A feed of HL7 v2 over an intake. */
export function hl7Feed (intake: Intake, limits: Partial<Hl7Limits> = {}, mapping: Partial<FeedMapping> = {}): Feed<Hl7Fault> {
  return new Feed({ name: 'lab', kind: 'hl7', intake, mapping: fixedMapping({ ...PLAIN_MAPPING, ...mapping }), map: hl7Mapper({ limits: { ...HL7_LIMITS, ...limits } }) })
}

/** A listener on a free port with its fake intake. */
export async function listener (limits: Partial<Hl7Limits> = {}, others: Partial<Pick<Hl7Options, 'tls' | 'feed'>> = {}): Promise<{ connector: Connector, intake: FakeIntake, clock: ManualClock, port: number } & AsyncDisposable> {
  const intake = new FakeIntake(Date.UTC(2026, 2, 14, 12))
  const clock = new ManualClock(NOW)
  const connector = await startHl7({ host: '127.0.0.1', port: 0, feed: hl7Feed(intake, limits), clock, limits, ...others })
  return { connector, intake, clock, port: portOf(connector), [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose]() }
}

export function portOf (connector: Connector): number { return Number(new URL(connector.endpoint.replace(/^mllps?:/, 'http:')).port) }

/** A sender that writes any bytes and waits for answers; rejects a wait when the connection closes. */
export class RawClient {
  readonly socket: Socket
  readonly answers: string[] = []
  closed = false
  #framer = new Framer({ frameBytesMax: 1_000_000 })
  #waiters: (() => void)[] = []

  constructor (port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('data', chunk => {
      for (const one of this.#framer.push(chunk)) if (one.kind === 'frame') this.answers.push(one.payload.toString('latin1'))
      this.#wake()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => { this.closed = true; this.#wake() })
  }

  /** Resolves when the kernel has the bytes. */
  write (...bytes: (Buffer | string)[]): Promise<void> {
    return new Promise(resolve => { this.socket.write(Buffer.concat(bytes.map(b => typeof b === 'string' ? Buffer.from(b, 'latin1') : b)), () => { resolve() }) })
  }

  send (...messages: Buffer[]): Promise<void> { return this.write(...messages.map(frame)) }

  async until (n: number): Promise<string[]> {
    while (this.answers.length < n) {
      if (this.closed) throw new Error(`closed after ${this.answers.length} answers`)
      await new Promise<void>(resolve => { this.#waiters.push(resolve) })
    }
    return this.answers
  }

  async untilClosed (): Promise<void> {
    while (!this.closed) await new Promise<void>(resolve => { this.#waiters.push(resolve) })
  }

  #wake (): void { for (const wake of this.#waiters.splice(0)) wake() }
  [Symbol.dispose] (): void { this.socket.destroy() }
}

/** MSA-1 and MSA-2 of an answer. */
export function msa (answer: string | undefined): string {
  return answer?.split('\r').find(line => line.startsWith('MSA'))?.slice(4) ?? ''
}
export function segment (answer: string | undefined, name: string): string | undefined { return answer?.split('\r').find(line => line.startsWith(name)) }

/** Resolves when `what` is true, checked whenever the event loop turns. */
export async function eventually (what: () => boolean): Promise<void> {
  while (!what()) await new Promise(resolve => { setImmediate(resolve) })
}
