import { afterEach, beforeEach, expect, test } from 'vitest'
import { DeadLetterReader, Desk } from '../../../../ops/run/dead-letters/index.ts'
import { TOPICS } from '../../../../streams/events/index.ts'
import { heartRates, read, sealer } from '../../../connectors/kit/house.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { openFeeds, type FeedsHouse } from '../feeds/kit.ts'

let dir: ReturnType<typeof tempDir>
let h: FeedsHouse
let letters: DeadLetterReader
let desk: Desk
let opened = 0

const deskOver = (reader: DeadLetterReader): Desk => new Desk({ letters: reader, log: h.house.log, codecs: h.house.codecs, sealer, clock: h.clock, logger: h.logger, feedOf: name => h.feeds.feedOf(name), onOpened: () => { opened++ } })
const readerOf = (lettersMax = 1_000): DeadLetterReader => new DeadLetterReader({ log: h.house.log, codecs: h.house.codecs, foreignRecords: false, lettersMax })
const send = async (...texts: readonly string[]): Promise<void> => { for (const text of texts) await h.line.feed('lab').take(Buffer.from(text)); await letters.catchUp() }
const map = (code: string): Promise<unknown> => h.feeds.mapCode('lab', { system: 'L', code, concept: 'heartRate', unit: '' }, 'e')
const open = (): readonly number[] => letters.book.matching({}).map(({ at }) => at)

beforeEach(async () => {
  dir = tempDir()
  opened = 0
  h = await openFeeds(dir.path, { 'lab.json': '{ "connector": "line" }' })
  letters = readerOf()
  desk = deskOver(letters)
})
afterEach(async () => { await h.close(); dir.remove() })

test('an unknown code is a dead letter; mapped and retried, its value is on the log, and the letter is closed', async () => {
  await send('P1 XPULS 80')
  expect(desk.show(0)).toMatchObject({ offset: 0, cause: 'code-unknown', feed: 'lab', state: 'open', retryable: true, attempts: 0, last: null })
  await map('XPULS')
  expect(await desk.retry(0, 'engineer')).toMatchObject({ kind: 'done', letter: { state: 'retried', attempts: 1, last: { outcome: 'published', by: 'engineer' } } })
  expect(await heartRates(h.house)).toEqual([80])
  expect(await desk.retry(0, 'engineer')).toEqual({ kind: 'closed', state: 'retried' })
  expect(letters.book.open).toBe(0)
})

test('what is refused again stays open with the newer cause, and no second letter is made', async () => {
  await send('P1 XPULS 80 zz')
  await map('XPULS')
  expect(await desk.retry(0, 'e')).toMatchObject({ kind: 'done', letter: { state: 'open', retryable: true, cause: 'code-unknown', last: { outcome: 'refused', cause: 'unit-unknown', detail: 'the fourth word' } } })
  expect([open(), letters.book.total]).toEqual([[0], 1])
  const kinds = await read(h.house.log, TOPICS.deadLetters, r => h.house.codecs.decodeDeadLetterRecord(r).kind)
  expect(kinds).toEqual(['letter', 'disposition'])
})

test('a letter of a code that is now ignored is closed by a retry, and nothing is written', async () => {
  await send('P1 GLOSSE 1', 'P1 GLOSSE 2')
  await h.feeds.mapCode('lab', { system: 'L', code: 'GLOSSE', concept: 'ignore', unit: '' }, 'e')
  expect(await desk.retryAll({ cause: 'code-unknown' }, 10, 'e')).toMatchObject({ tried: 2, published: 0, refused: 0, left: 0 })
  expect([open(), await heartRates(h.house)]).toEqual([[], []])
})

test('all that match are dropped, oldest first and no more than were counted, with a record each; the others stay', async () => {
  await send('P1 XA 1', 'P1 HR 1 zz', ...Array.from({ length: 600 }, (_, i) => `P1 XB ${i}`), 'P1 XA 2')
  const before = letters.book.matching({ cause: 'code-unknown' }).map(({ at }) => at)
  expect(await desk.dropAll({ cause: 'code-unknown', feed: 'other' }, 10, 'e')).toEqual({ dropped: 0, left: 0 })
  expect(await desk.dropAll({ cause: 'code-unknown', feed: 'lab' }, 601, 'night shift')).toEqual({ dropped: 601, left: 1 })
  expect(open()).toEqual([1, before.at(-1)])
  expect(desk.show(before[0]!)).toMatchObject({ state: 'dropped', last: { action: 'dropped', outcome: 'dropped', by: 'night shift' } })
  const kinds = await read(h.house.log, TOPICS.deadLetters, r => h.house.codecs.decodeDeadLetterRecord(r).kind)
  expect(kinds.filter(kind => kind === 'disposition')).toHaveLength(601)
  expect(h.logged.filter(line => line.startsWith('dead letters were dropped')).at(-1)).toBe('dead letters were dropped {"cause":"code-unknown","feed":"lab","dropped":601,"by":"night shift"}')
})

test('a letter that somebody has in hand is left out of a round of drops', async () => {
  await send('P1 XA 1', 'P1 XA 2')
  const [round] = await Promise.all([desk.dropAll({}, 2, 'e'), desk.drop(0, 'f'), desk.dropAll({}, 2, 'g')])
  expect([round.dropped + round.left, open()]).toEqual([2, []])
  expect((await read(h.house.log, TOPICS.deadLetters, r => h.house.codecs.decodeDeadLetterRecord(r).kind)).filter(kind => kind === 'disposition')).toHaveLength(2)
})

test('two people who retry at once: one wins, and the value is there once', async () => {
  await send('P1 XPULS 80')
  await map('XPULS')
  const kinds = (await Promise.all([desk.retry(0, 'a'), desk.retry(0, 'b')])).map(({ kind }) => kind).sort()
  expect(['busy,done', 'closed,done']).toContain(kinds.join(','))
  expect(await heartRates(h.house)).toEqual([80])
})

test('a letter whose message is on the log already closes as a duplicate: a retry that was cut short can be said again', async () => {
  await send('P1 XPULS 80')
  await map('XPULS')
  await h.line.feed('lab').take(Buffer.from('P1 XPULS 80'))
  expect(await desk.retry(0, 'e')).toMatchObject({ kind: 'done', letter: { state: 'retried', last: { outcome: 'duplicate' } } })
  expect(await heartRates(h.house)).toEqual([80])
})

test('a letter is dropped once, and is not retried afterwards', async () => {
  await send('P1 XPULS 80')
  expect(await desk.drop(0, 'e')).toMatchObject({ kind: 'done', letter: { state: 'dropped' } })
  expect([await desk.drop(0, 'e'), await desk.retry(0, 'e'), await desk.drop(99, 'e')]).toEqual([{ kind: 'closed', state: 'dropped' }, { kind: 'closed', state: 'dropped' }, { kind: 'unknown' }])
})

test('a round retries those that match, oldest first, up to its limit', async () => {
  await send('P1 XPULS 80', 'P1 XOTHER 81', 'P1 XPULS 82', 'P1 XPULS 83')
  await map('XPULS')
  expect(await desk.retryAll({ cause: 'code-unknown', feed: 'lab' }, 3, 'e')).toEqual({ tried: 3, published: 2, duplicate: 0, archived: 0, refused: 1, left: 1 })
  expect(await heartRates(h.house)).toEqual([80, 82])
  expect(open()).toEqual([1, 3])
  expect(await desk.retryAll({ cause: 'merge-loop' }, 3, 'e')).toMatchObject({ tried: 0, left: 0 })
})

test('what the engine refused names no feed and cannot be retried', async () => {
  await h.house.intake.refuse({ cause: 'step-failed', detail: 'x', source: 'engine', raw: Buffer.from('y') })
  await letters.catchUp()
  expect(desk.show(0)).toMatchObject({ retryable: false, feed: '' })
  expect(await desk.retry(0, 'e')).toMatchObject({ kind: 'no-feed' })
})

test('bytes are opened on request alone, and each time is counted and noted', async () => {
  await send('P1 XPULS 80')
  expect((await desk.raw(0))?.toString()).toBe('P1 XPULS 80')
  expect(await desk.raw(7)).toBeUndefined()
  expect(opened).toBe(1)
  expect(h.logged).toContain('the bytes of a dead letter were read {"offset":0}')
  expect(h.logged.join('\n')).not.toContain('P1 XPULS')
})

test('another reader of the same topic comes to the same book', async () => {
  await send('P1 XPULS 80', 'P1 XPULS 81', 'P1 XPULS 82')
  await map('XPULS')
  await desk.retry(1, 'e')
  await desk.drop(2, 'e')
  const other = readerOf()
  await other.catchUp()
  expect(other.book.matching({ state: 'all' })).toEqual(letters.book.matching({ state: 'all' }))
  expect([other.book.open, other.book.total, [...other.book.byCause]]).toEqual([1, 3, [['code-unknown', 3]]])
})

test('the index is bounded: the oldest letters leave it, and are still counted', async () => {
  await send('P1 A 1', 'P1 B 2', 'P1 C 3')
  const small = readerOf(2)
  await small.catchUp()
  expect([small.book.total, small.book.open, small.book.matching({}).map(({ at }) => at)]).toEqual([3, 2, [1, 2]])
})

test('pages of the list go from the newest to the oldest', async () => {
  await send('P1 A 1', 'P1 B 2', 'P1 C 3')
  const first = desk.list({}, undefined, 2)
  expect([first.letters.map(({ offset }) => offset), first.matching, first.next]).toEqual([[2, 1], 3, 1])
  expect(desk.list({}, first.next!, 2)).toMatchObject({ letters: [{ offset: 0 }], matching: 3, next: null })
})
