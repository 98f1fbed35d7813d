import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { decodeEvent, EventReader, openEventCodecs, patientKeyOf, TOPICS, type BedsideEvent, type EventCodecs, type RecordSchema, type SchemaBook } from '../../../streams/events/index.ts'
import type { RecordCursor } from '../../../streams/log/index.ts'
import { OBSERVATIONS } from '../../../streams/events/schemas.ts'
import { event } from './arbitrary-event.ts'
import { bookOn, recordOf, storage } from './support.ts'

let book: SchemaBook
let codecs: EventCodecs
let reader: EventReader
beforeAll(async () => {
  book = await bookOn(storage())
  codecs = await openEventCodecs(book)
  reader = new EventReader(book)
})

/** What matters of it: the detail of a refusal is for people. */
function outcome (decoded: ReturnType<typeof decodeEvent>): unknown { return decoded.kind !== 'ok' ? decoded.cause : decoded.value.type === 'observations' ? structuredClone(decoded.value) : decoded.value }
function bothOf (record: RecordCursor): readonly [unknown, unknown] { return [outcome(reader.read(record)), outcome(decodeEvent(book, record))] }
function agree (record: RecordCursor): void { const [mine, theirs] = bothOf(record); expect(mine).toEqual(theirs) }

it('reads every event as decoding does', () => {
  fc.assert(fc.property(event, e => {
    const record = recordOf(codecs.encode(e))
    expect(outcome(reader.read(record))).toEqual(e)
    agree(record)
  }), { numRuns: 400 })
})

it('reads one event after the other, long sets and short ones, and remembers nothing', () => {
  fc.assert(fc.property(fc.array(event, { minLength: 2, maxLength: 8 }), events => {
    for (const e of events) expect(outcome(reader.read(recordOf(codecs.encode(e))))).toEqual(e)
  }), { numRuns: 150 })
  const long: BedsideEvent = { type: 'observations', kind: 'device', source: 's', observations: Array.from({ length: 100 }, (_, i) => ({ concept: 'spo2' as const, value: i, comparator: '=' as const, eventTime: i, status: 'final' as const, quality: 'valid' as const, resultId: '' })) }
  expect(outcome(reader.read(recordOf(codecs.encode(long))))).toEqual(long)
})

it('takes mutated bytes only as decoding takes them', () => {
  const mutated = fc.tuple(event, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })).map(([e, mutations]) => {
    const bytes = codecs.encode(e)
    for (const [at, byte] of mutations) if (bytes.length > 5) bytes[5 + at % (bytes.length - 5)] = byte
    return bytes
  })
  fc.assert(fc.property(mutated, bytes => {
    agree(recordOf(bytes))
  }), { numRuns: 1_500 })
})

it('refuses what is cut, and enumerations and concepts out of range, as decoding does', async () => {
  const raw = fc.record({
    kind: fc.integer({ min: -1, max: 3 }), source: fc.string(),
    observations: fc.array(fc.record({ concept: fc.constantFrom('spo2', 'ph', 'spo', 'toString', ''), value: fc.double(), comparator: fc.integer({ min: -1, max: 5 }), eventTime: fc.nat(2 ** 31 - 1).map(n => n * 1_000_000), status: fc.integer({ min: 0, max: 4 }), quality: fc.integer({ min: 0, max: 3 }), resultId: fc.string() }), { maxLength: 3 }),
  })
  const { encode } = await book.codec<unknown>(TOPICS.events, OBSERVATIONS)
  fc.assert(fc.property(raw, fc.nat(6), (value, cut) => {
    const bytes = encode(value)
    agree(recordOf(bytes))
    agree(recordOf(bytes.subarray(0, bytes.length - cut)))
  }), { numRuns: 500 })
})

it('does not make as many items as a damaged count says', () => {
  const bytes = codecs.encode({ type: 'observations', kind: 'device', source: '', observations: [] })
  const damaged = Buffer.concat([bytes.subarray(0, 7), Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0x0f])])
  expect([outcome(reader.read(recordOf(damaged))), outcome(codecs.decode(recordOf(damaged)))]).toEqual(['payload-invalid', 'payload-invalid'])
})

it('refuses unknown ids, foreign bytes and nothing as decoding does', () => {
  for (const value of [null, Buffer.alloc(0), Buffer.from([0, 0]), Buffer.from('{"json":1}'), Buffer.from([0, 0, 0, 99, 99, 1, 2]), codecs.encodeIdentity({ sealed: Buffer.from('x'), key: Buffer.alloc(0) })]) agree(recordOf(value))
})

it('refuses an enumeration and a concept that this version does not know', () => {
  const good = (concept: string): Buffer => codecs.encode({ type: 'observations', kind: 'device', source: '', observations: [{ concept: concept as never, value: 1, comparator: '=', eventTime: 1, status: 'final', quality: 'valid', resultId: '' }] })
  const kind = good('spo2')
  kind[5] = 60
  for (const bytes of [kind, good('shoeSize'), good('')]) {
    expect(outcome(reader.read(recordOf(bytes)))).toBe('payload-invalid')
    agree(recordOf(bytes))
  }
})

it('gives the same string for the same patient', () => {
  for (const key of [Buffer.from('patient'), null, Buffer.from([0xe9]), Buffer.alloc(0)]) expect(reader.keyOf(recordOf(null, key))).toBe(patientKeyOf(recordOf(null, key)))
})

it('reads what an older writer wrote in another order, without objects', async () => {
  const kept = storage()
  const fields: RecordSchema['fields'] = [
    { name: 'extra', type: 'string' },
    { name: 'observations', type: { type: 'array', items: { type: 'record', name: 'Observation', fields: [{ name: 'resultId', type: 'string' }, { name: 'concept', type: 'string' }, { name: 'value', type: 'float' }, { name: 'comparator', type: 'int' }, { name: 'eventTime', type: 'long' }, { name: 'quality', type: 'int' }, { name: 'status', type: 'int' }] } } },
    { name: 'source', type: 'string' }, { name: 'kind', type: 'int' },
  ]
  const older = await (await bookOn(kept)).codec(TOPICS.events, { type: 'record', name: 'Observations', namespace: 'latido', doc: 'older', fields })
  const bytes = older.encode({ extra: 'x', kind: 2, source: 's', observations: [{ resultId: 'r', concept: 'ph', value: 7.5, comparator: 1, eventTime: 5, quality: 1, status: 2 }] })
  const now = await bookOn(kept)
  await openEventCodecs(now)
  const expected = { type: 'observations', kind: 'laboratory', source: 's', observations: [{ concept: 'ph', value: 7.5, comparator: '<', eventTime: 5, status: 'corrected', quality: 'questionable', resultId: 'r' }] }
  expect(outcome(new EventReader(now).read(recordOf(bytes)))).toEqual(expected)
  expect(outcome(decodeEvent(now, recordOf(bytes)))).toEqual(expected)
})

it('goes on reading when a schema is registered again on another topic', async () => {
  const written = codecs.encode({ type: 'observations', kind: 'device', source: 's', observations: [] })
  agree(recordOf(written))
  await codecs.on(TOPICS.features)
  agree(recordOf(written))
  await codecs.on(TOPICS.driftCounts)
  expect(outcome(decodeEvent(book, recordOf(written)))).toEqual({ type: 'observations', kind: 'device', source: 's', observations: [] })
})
