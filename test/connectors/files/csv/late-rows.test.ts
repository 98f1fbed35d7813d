import fc from 'fast-check'
import { expect, it } from 'vitest'
import { writeRow } from '../../../../connectors/files/csv/row.ts'
import { FILES_OPTIONS } from '../../../../connectors/files/index.ts'
import { Feed, lateResultsOf, LiveMapping, PLAIN_MAPPING, type CodeMapping, type FeedMapping, type LateLetter } from '../../../../connectors/kit/index.ts'
import { filesConnector } from '../../../../ops/run/intake/files-connector.ts'
import { MemoryTable } from '../../fhir/support.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { NOW_MS, valuesOf } from '../support.ts'

const PULSE: CodeMapping = { concept: 'heartRate', unit: '' }
const KNOWN: readonly (readonly [string, CodeMapping])[] = [['PULS', PULSE], ['NATRIUM', { concept: 'sodium', unit: '' }]]
const mappingOf = (...more: readonly (readonly [string, CodeMapping])[]): FeedMapping => ({ ...PLAIN_MAPPING, codes: new Map([...KNOWN, ...more]) })
const HEADER = JSON.stringify(['mrn', 'at', 'test', 'result', 'no'])
const OPTIONS = FILES_OPTIONS.parse({ format: 'csv', csv: { patient: 'mrn', time: 'at', code: 'test', value: 'result', result: 'no', kind: 'laboratory' } })

interface Row { readonly file: number, readonly patient: string, readonly minute: number, readonly code: string, readonly value: number, readonly number: string }
interface Place { readonly intake: FakeIntake, readonly feed: Feed, readonly table: MemoryTable<LateLetter>, readonly mapping: LiveMapping, learn (): void }

/** A feed of CSV files as it is prepared for a start; on the same parts it is the same after a restart. */
function place ({ intake = new FakeIntake(NOW_MS), table = new MemoryTable<LateLetter>(), mapping = new LiveMapping({ mapping: mappingOf(), now: () => NOW_MS, seen: [] }) } = {}): Place {
  const late = lateResultsOf(filesConnector, OPTIONS, { intake, mapping })!
  const feed = new Feed({ name: 'lab', kind: 'files', intake: late, mapping, map: filesConnector.mapper(OPTIONS) })
  late.guard(feed, table)
  return { intake, feed, table, mapping, learn: () => { mapping.replace(mappingOf(['XPULS', PULSE])) } }
}

function rawOf ({ file, patient, minute, code, value, number }: Row, record: number): Buffer {
  return writeRow(String(file).repeat(64), record, record + 1, HEADER, Buffer.from(`${patient},2031-04-05T08:${String(minute).padStart(2, '0')}:00Z,${code},${value},${number}`))
}

const row = (file: number, code: string, value: number, more: Partial<Row> = {}): Row => ({ file, patient: 'P1', minute: 30, code, value, number: '', ...more })

it('a row that was refused does not undo what another file said since of the same patient, concept and moment, also after a restart', async () => {
  const { feed, intake, table, mapping } = place()
  await feed.take(rawOf(row(1, 'XPULS', 88), 1))
  await feed.take(rawOf(row(2, 'PULS', 90), 1))
  expect([intake.causes(), valuesOf(intake)]).toEqual([['code-unknown'], [90]])
  const after = place({ intake, table, mapping })
  after.learn()
  expect(await after.feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
  expect([valuesOf(intake), table.rows.size, intake.counts.get('stale-result')]).toEqual([[90], 0, 1])
})

it('another row of the same file, of another moment, patient or concept is no newer one', async () => {
  const { feed, intake, learn } = place()
  await feed.take(rawOf(row(1, 'XPULS', 88), 1))
  for (const [i, other] of [row(1, 'PULS', 90), row(2, 'PULS', 91, { minute: 31 }), row(2, 'PULS', 92, { patient: 'P2' }), row(2, 'NATRIUM', 140)].entries()) await feed.take(rawOf(other, 2 + i))
  learn()
  expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
  expect(valuesOf(intake)).toEqual([90, 91, 92, 140, 88])
})

it('a result that has a number is known by it within its patient, whatever its time', async () => {
  const { feed, intake, learn } = place()
  await feed.take(rawOf(row(1, 'XPULS', 88, { number: '7' }), 1))
  await feed.take(rawOf(row(1, 'XPULS', 70, { number: '8' }), 2))
  await feed.take(rawOf(row(2, 'PULS', 90, { number: '7', minute: 40 }), 1))
  await feed.take(rawOf(row(2, 'PULS', 60, { number: '8', patient: 'P2' }), 2))
  learn()
  expect(await feed.retry(intake.refused[0]!.raw)).toEqual({ kind: 'superseded' })
  expect(await feed.retry(intake.refused[1]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
})

const rows: fc.Arbitrary<readonly Row[]> = fc.array(fc.record({
  file: fc.integer({ min: 1, max: 2 }), patient: fc.constantFrom('P1', 'P2'), minute: fc.constantFrom(30, 31), code: fc.constantFrom('XPULS', 'XPULS', 'PULS', 'NATRIUM'), value: fc.integer({ min: 100, max: 150 }), number: fc.constantFrom('', '', '7'),
}), { minLength: 1, maxLength: 12 })

/** The naive twin: whether a later row says the same result again. */
function isNewer (later: Row, letter: Row): boolean {
  const concept = ({ code }: Row): string => code === 'NATRIUM' ? 'sodium' : 'heartRate'
  if (later.patient !== letter.patient || concept(later) !== concept(letter)) return false
  return letter.number === '' ? later.minute === letter.minute && (later.file !== letter.file || later.number !== '') : later.number === letter.number
}

it('of each result what came last holds, whatever is refused and in whatever order the letters are retried, across restarts', async () => {
  await fc.assert(fc.asyncProperty(rows, fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), fc.array(fc.nat(99), { minLength: 12, maxLength: 12 }), async (drawn, restarts, picks) => {
    let at = place()
    const step = (i: number): void => { if (restarts[i % restarts.length]) at = place(at) }
    for (const [i, one] of drawn.entries()) { step(i); await at.feed.take(rawOf(one, i + 1)) }
    at.learn()
    const waiting = drawn.flatMap((one, i) => one.code === 'XPULS' ? [i] : [])
    const published = new Set(drawn.flatMap((one, i) => one.code === 'XPULS' ? [] : [i]))
    for (let n = 0; waiting.length > 0; n++) {
      step(12 + n)
      const [letter] = waiting.splice(picks[n]! % waiting.length, 1)
      const late = [...published].some(i => i > letter! && isNewer(drawn[i]!, drawn[letter!]!))
      expect((await at.feed.retry(rawOf(drawn[letter!]!, letter! + 1))).kind).toBe(late ? 'superseded' : 'taken')
      if (!late) published.add(letter!)
    }
    expect(at.table.rows.size).toBe(0)
  }), { numRuns: 200 })
}, 120_000)
