import { beforeEach, expect, test } from 'vitest'
import { Feed, fixedMapping, type MappedMessage } from '../../../connectors/kit/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { FakeIntake } from './fake-intake.ts'

const TAKES_BYTES = 100_000
const BEGINNING_BYTES = 65_536
const EVENT = { type: 'observations', kind: 'laboratory', source: 'toy:a', observations: [] } as const
const long = (letter: string): Buffer => Buffer.alloc(TAKES_BYTES + 1, letter)

/** A log that takes records of some size, as every log does. */
class SmallIntake extends FakeIntake {
  override beforeRefuse = ({ raw }: { readonly raw: Buffer }): Promise<void> => fits(raw)
  override async archive (archived: Parameters<FakeIntake['archive']>[0]): Promise<void> { await fits(archived.raw); await super.archive(archived) }
}

function fits (raw: Buffer): Promise<void> { return raw.length <= TAKES_BYTES ? Promise.resolve() : Promise.reject(new LatidoError('RECORD_TOO_LARGE', 'a record is too large', 'send smaller ones')) }

let intake: SmallIntake
beforeEach(() => { intake = new SmallIntake() })
const feedOf = (mapped: MappedMessage): Feed => new Feed({ name: 'a', kind: 'toy', intake, mapping: fixedMapping(), map: () => mapped })
const of = (more: Partial<Extract<MappedMessage, { kind: 'mapped' }>>): MappedMessage => ({ kind: 'mapped', source: 'toy:a', id: 'm1', content: Buffer.from('m1'), notices: new Map(), events: [{ patient: { id: 'P1' }, event: EVENT }], refused: [], ...more })
const letters = (): readonly unknown[] => intake.refused.map(({ cause, detail, raw, feed }) => [cause, detail, raw.length, String.fromCharCode(raw[0]!), feed])

test('a part that is refused and too large to be kept is refused with its beginning, and the rest is taken', async () => {
  expect(await feedOf(of({ refused: [{ fault: { cause: 'code-unknown', detail: 'OBX-3' }, raw: long('p') }] })).take(Buffer.from('m'))).toMatchObject({ kind: 'taken', published: 1 })
  expect(letters()).toEqual([['too-large', 'OBX-3; too large to be kept, this is its beginning', BEGINNING_BYTES, 'p', 'a']])
})

test('a message that is too large to be archived is refused with its beginning', async () => {
  expect(await feedOf(of({ events: [], archived: { type: 'MDM^T02', raw: long('d') } })).take(long('d'))).toMatchObject({ kind: 'taken', published: 0 })
  expect(letters()).toEqual([['too-large', 'the log cannot archive a message of this size; this is its beginning', BEGINNING_BYTES, 'd', 'a']])
  expect(intake.archived).toEqual([])
})

test('a message that is refused, or fails in the mapper, and is too large to be kept is refused with its beginning', async () => {
  expect(await feedOf({ kind: 'rejected', source: 'toy:a', fault: { cause: 'malformed', detail: 'PID' }, notices: new Map() }).take(long('m'))).toMatchObject({ kind: 'refused', fault: { cause: 'malformed' } })
  expect(await feedOf(of({})).fail(long('f'), 'failed 3 times')).toMatchObject({ kind: 'failed' })
  expect(intake.refused.map(({ cause, raw }) => [cause, raw.length])).toEqual([['too-large', BEGINNING_BYTES], ['too-large', BEGINNING_BYTES]])
})

test('a log that is away is no reason to cut anything', async () => {
  intake.beforeRefuse = () => Promise.reject(new LatidoError('LOG_WRITE_FAILED', 'the log is away', 'start it'))
  await expect(feedOf({ kind: 'rejected', source: 'toy:a', fault: { cause: 'malformed', detail: 'PID' }, notices: new Map() }).take(long('m'))).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  expect(intake.refused).toEqual([])
})
