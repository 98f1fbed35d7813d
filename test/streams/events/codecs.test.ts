import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  DISPOSITION_OUTCOMES, openEventCodecs, patientKeyOf, REFUSAL_CAUSES, TOPICS, type EventCodecs, type RecordSchema,
} from '../../../streams/events/index.ts'
import { event, text } from './arbitrary-event.ts'
import { bookOn, recordOf, storage } from './support.ts'

const SMALL = (fields: RecordSchema['fields']): RecordSchema => ({ type: 'record', name: 'Acknowledgement', namespace: 'latido', doc: 'test', fields })
const ALERT_ID = { name: 'alertId', type: 'string' }
const BY = { name: 'by', type: 'string' }

let codecs: EventCodecs
beforeAll(async () => { codecs = await openEventCodecs(await bookOn(storage())) })

it('gives every event back as it was written', () => {
  fc.assert(fc.property(event, e => { expect(codecs.decode(recordOf(codecs.encode(e)))).toEqual({ kind: 'ok', value: e }) }), { numRuns: 300 })
})

it('carries the same events on another topic', async () => {
  const onFeatures = await codecs.on(TOPICS.features)
  fc.assert(fc.property(event, e => { expect(codecs.decode(recordOf(onFeatures.encode(e)))).toEqual({ kind: 'ok', value: e }) }), { numRuns: 50 })
})

it('gives dead letters back, whatever their cause and bytes', () => {
  fc.assert(fc.property(fc.constantFrom(...REFUSAL_CAUSES), text, fc.uint8Array(), (cause, detail, raw) => {
    const letter = { cause, detail, source: 's', partition: -1, offset: -1, refusedAt: 5, feed: 'lab', raw: Buffer.from(raw) }
    expect(codecs.decodeDeadLetter(recordOf(codecs.encodeDeadLetter(letter)))).toEqual(letter)
  }))
})

it('tells dead letters from what was done with them, and gives both back', () => {
  fc.assert(fc.property(fc.constantFrom(...DISPOSITION_OUTCOMES), fc.constantFrom('' as const, ...REFUSAL_CAUSES), text, fc.nat(), (outcome, cause, detail, letter) => {
    const disposition = { letter, action: 'retried' as const, outcome, cause, detail, at: 7, by: 'engineer' }
    expect(codecs.decodeDeadLetterRecord(recordOf(codecs.encodeDisposition(disposition)))).toEqual({ kind: 'disposition', disposition })
  }), { numRuns: 50 })
  const letter = { cause: 'not-hl7' as const, detail: '', source: 's', partition: -1, offset: -1, refusedAt: 5, feed: '', raw: Buffer.from('x') }
  expect(codecs.decodeDeadLetterRecord(recordOf(codecs.encodeDeadLetter(letter)))).toEqual({ kind: 'letter', letter })
})

it('gives a sealed identity back, with its wrapped key', () => { expect(codecs.decodeIdentity(recordOf(codecs.encodeIdentity({ sealed: Buffer.from([0, 1, 2]), key: Buffer.from([3]) })))).toEqual({ sealed: Buffer.from([0, 1, 2]), key: Buffer.from([3]) }) })
it('reads an identity that was written before records brought a key', async () => {
  const kept = storage()
  const before = await (await bookOn(kept)).codec(TOPICS.identity, { type: 'record', name: 'Identity', namespace: 'latido', doc: 'Who a pseudonym is, encrypted with a key of that patient.', fields: [{ name: 'sealed', type: 'bytes' }] })
  const now = await openEventCodecs(await bookOn(kept))
  expect(now.decodeIdentity(recordOf(before.encode({ sealed: Buffer.from('x') })))).toEqual({ sealed: Buffer.from('x'), key: Buffer.alloc(0) })
})
it('reads the patient from the key; a tick has none', () => { expect([patientKeyOf(recordOf(null)), patientKeyOf(recordOf(null, null))]).toEqual(['patient', '']) })

describe('refuses', () => {
  const framed = (id: number, ...payload: number[]): Buffer => Buffer.from([0, id >> 24, id >> 16, id >> 8, id, ...payload])
  const causeOf = (value: Buffer | null): string => { const d = codecs.decode(recordOf(value)); return d.kind === 'refused' ? d.cause : d.kind }
  it('an unknown schema id', () => { expect(causeOf(framed(9_999, 1, 2, 3))).toBe('schema-unknown') })
  it('nothing, and what is not in Confluent\'s wire format', () => { expect([null, Buffer.alloc(0), Buffer.from([0, 0]), Buffer.from('{"json":1}'), Buffer.from([1, 0, 0, 0, 1, 5])].map(causeOf)).toEqual(Array(5).fill('payload-invalid')) })
  it('any cut of a good record, and bytes behind its end', () => {
    const good = codecs.encode({ type: 'observations', kind: 'device', source: 'm', observations: [{ concept: 'heartRate', value: 80, comparator: '=', eventTime: 1, status: 'final', quality: 'valid', resultId: '' }] })
    for (let n = 5; n < good.length; n++) expect(causeOf(good.subarray(0, n))).toBe('payload-invalid')
    expect(causeOf(Buffer.concat([good, Buffer.from([1])]))).toBe('payload-invalid')
  })
  it('garbage behind a good schema id, whatever it is', () => {
    const id = codecs.encode({ type: 'acknowledgement', alertId: '', by: '' }).readUInt32BE(1)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), payload => { expect(['ok', 'payload-invalid']).toContain(causeOf(framed(id, ...payload))) }), { numRuns: 300 })
  })
  it('an enumeration that this version does not know, and a concept that is not in the table', () => {
    const good = codecs.encode({ type: 'encounter', action: 'admit', eventTime: 0, source: '', ward: '', bed: '', ageYears: 1, sex: 'male', hoursSinceHospitalAdmission: 0 })
    const unknownAction = Buffer.from(good)
    unknownAction[5] = 60
    const unknownConcept = codecs.encode({ type: 'observations', kind: 'device', source: '', observations: [{ concept: 'shoeSize' as never, value: 1, comparator: '=', eventTime: 1, status: 'final', quality: 'valid', resultId: '' }] })
    expect([unknownAction, unknownConcept].map(causeOf)).toEqual(['payload-invalid', 'payload-invalid'])
  })
  it('a record that is no bedside event', () => { expect(causeOf(codecs.encodeIdentity({ sealed: Buffer.from('x'), key: Buffer.alloc(0) }))).toBe('payload-invalid') })
})

it('says no value of the record in a refusal', () => {
  const secret = codecs.encode({ type: 'acknowledgement', alertId: 'a', by: 'Name-of-somebody' })
  const decoded = codecs.decode(recordOf(secret.subarray(0, secret.length - 1)))
  expect(JSON.stringify(decoded)).not.toContain('Name-of')
})

describe('schemas over time', () => {
  it('keep their ids over restarts, so that the log stays readable', async () => {
    const kept = storage()
    const first = await openEventCodecs(await bookOn(kept))
    const written = first.encode({ type: 'acknowledgement', alertId: 'a', by: 'b' })
    const ids = kept.stored.map(s => s.id)
    const second = await openEventCodecs(await bookOn(kept))
    expect(kept.stored.map(s => s.id)).toEqual(ids)
    expect(second.encode({ type: 'acknowledgement', alertId: 'a', by: 'b' })).toEqual(written)
    expect(second.decode(recordOf(written))).toEqual({ kind: 'ok', value: { type: 'acknowledgement', alertId: 'a', by: 'b' } })
  })

  it('read what an older writer wrote: a new field has its default, an old one is passed over', async () => {
    const kept = storage()
    const written = (await (await bookOn(kept)).codec('t', SMALL([ALERT_ID, { name: 'old', type: 'long' }]))).encode({ alertId: 'a', old: 7 })
    const book = await bookOn(kept)
    await book.codec('t', SMALL([ALERT_ID, { ...BY, default: 'nobody' } as RecordSchema['fields'][number]]))
    expect({ ...book.decode(written, 0, written.length) as object }).toEqual({ alertId: 'a', by: 'nobody' })
  })

  it('refuse a schema that cannot read what was written', async () => {
    const kept = storage()
    await (await bookOn(kept)).codec('t', SMALL([ALERT_ID]))
    const book = await bookOn(kept)
    await expect(book.codec('t', SMALL([ALERT_ID, BY]))).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' })
    await expect(book.codec('t', SMALL([{ name: 'alertId', type: 'long' }]))).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE' })
  })

  it('say so when the registry gives another id than the log has', async () => {
    const kept = storage()
    await (await bookOn(kept)).codec('t', SMALL([ALERT_ID]))
    const other = storage(kept.stored.map(s => ({ ...s, id: s.id + 5 })))
    await expect(bookOn(other)).rejects.toMatchObject({ code: 'SCHEMA_ID_CHANGED' })
  })
})
