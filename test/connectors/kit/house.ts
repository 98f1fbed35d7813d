import { createCipheriv, createDecipheriv } from 'node:crypto'
import { join } from 'node:path'
import { openIntake, withVisits, type InboundMessage, type Intake, type Sealer, type SourceIdentity } from '../../../connectors/kit/index.ts'
import { openEventCodecs, SchemaBook, topicSpecs, type EncounterAction, type EventCodecs, type PatientKey } from '../../../streams/events/index.ts'
import { openEmbeddedLog, type Log, type RecordCursor } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { observationsOf, recordsOf } from '../../kit/read-topic.ts'

const KEY = Buffer.alloc(32, 7)
const NONCE = Buffer.alloc(16, 9)

export const sealer: Sealer = {
  seal: plain => { const c = createCipheriv('aes-256-ctr', KEY, NONCE); return Buffer.concat([c.update(plain), c.final()]) },
  open: sealed => { const d = createDecipheriv('aes-256-ctr', KEY, NONCE); return Buffer.concat([d.update(sealed), d.final()]) },
}

export interface House {
  readonly log: Log
  readonly intake: Intake & AsyncDisposable
  readonly clock: ManualClock
  readonly codecs: EventCodecs
  readonly counts: ReadonlyMap<string, number>
  close (): Promise<void>
}

export interface HouseOptions { readonly log?: (log: Log) => Log, readonly identify?: (patient: SourceIdentity) => Promise<PatientKey>, readonly isKnown?: (id: string) => boolean, /** Pseudonyms of visits; without it they are not told. */ readonly visits?: (text: string) => string }

/** An intake over a real log in a directory; opened again on the same directory it is the same house after a restart. */
export async function openHouse (directory: string, clock: ManualClock, options: HouseOptions = {}): Promise<House> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock })
  await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
  const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  const counts = new Map<string, number>()
  const identify = options.identify ?? (patient => Promise.resolve(`key-${patient.id.length}` as PatientKey))
  const opened = await openIntake({
    log: options.log?.(log) ?? log, codecs, clock, directory: join(directory, 'kit'), sealer,
    identify,
    ...options.isKnown === undefined ? {} : { isKnown: options.isKnown },
    onCount: (_, what, n) => { counts.set(what, (counts.get(what) ?? 0) + n) },
  })
  const intake = options.visits === undefined ? opened : withVisits(opened, { identify, tokenOf: options.visits })
  return { log, intake, clock, codecs, counts, close: async () => { await intake[Symbol.asyncDispose](); await log[Symbol.asyncDispose]() } }
}

export function numerics (messageId: string, value: number, patientId = 'MRN-77001'): InboundMessage {
  return {
    patient: { id: patientId }, messageId, source: 'hl7:test', content: Buffer.from(`heart rate ${value}`),
    event: { type: 'observations', kind: 'device', source: 'hl7:test', observations: [{ concept: 'heartRate', value, comparator: '=', eventTime: 1_000, status: 'final', quality: 'valid', resultId: '' }] },
  }
}

export function movement (patientId: string, action: EncounterAction, ward: string, bed: string): InboundMessage {
  return {
    patient: { id: patientId }, messageId: `${patientId} ${action} ${ward} ${bed}`, source: 'hl7:adt', content: Buffer.from(`${patientId}${action}${ward}${bed}`),
    event: { type: 'encounter', action, eventTime: 1_000, source: 'hl7:adt', ward, bed, ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 },
  }
}

export function merge (loser: string, survivor: string): InboundMessage {
  return { patient: { id: loser }, messageId: `${loser} into ${survivor}`, source: 'hl7:adt', content: Buffer.from(`${loser}>${survivor}`), event: { type: 'merge', survivor: { id: survivor }, eventTime: 1_000, source: 'hl7:adt' } }
}

/** Reads every record of a topic. */
export async function read<T> (log: Log, topic: string, of: (record: RecordCursor) => T): Promise<readonly T[]> {
  const all: T[] = []
  for await (const record of recordsOf(log, topic)) all.push(of(record))
  return all
}

export async function heartRates (house: House): Promise<readonly number[]> {
  const rates: number[] = []
  for await (const { observations } of observationsOf(house.log, house.codecs)) rates.push(...observations.map(o => o.value))
  return rates
}
