import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StoredRow } from '../../../features/online/index.ts'
import { readColumns } from '../../../features/packed-columns.ts'
import { decodeBinary, encodeBinary, encodeJson, FeatureReader, ServingCatalogue, type FeatureTable } from '../../../features/serving/index.ts'
import { NUMBER_BYTES_MAX, writeNumber } from '../../../features/serving/number-text.ts'
import { packVector, unpackVector } from '../../../features/vector-codec.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { latestView, rowOf } from './kit.ts'

const views = [latestView('numerics'), latestView('blood', { version: 2, count: 10, ttl: '1 h' })]
const catalogue = new ServingCatalogue(views)
const cell = fc.tuple(fc.oneof({ weight: 2, arbitrary: fc.constant(NaN) }, { weight: 3, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) }, fc.integer({ min: -500, max: 500 }).map(n => n / 10)), fc.integer({ min: 0, max: 8 }).map(n => n * 1_000))
/** What is stored: for each entity of each view nothing, or a row of some age. */
const stored = fc.array(fc.tuple(...views.map(view => fc.option(fc.record({ asOf: fc.integer({ min: 0, max: 8 }).map(n => 10_000_000 - n * 500_000), cells: fc.array(cell, { minLength: view.names.length, maxLength: view.names.length }) })))), { maxLength: 5 })

async function tableOf (rows: readonly (readonly (StoredRow | undefined)[])[]): Promise<FeatureTable> {
  const reader = new FeatureReader({ store: { get: () => Promise.resolve(rows) }, catalogue, clock: new ManualClock(10_000_000) })
  return reader.read({ features: ['numerics', 'blood'] }, rows.map((_, e) => `entity-${e}`))
}

/** The documented JSON, made as one would without thinking of cost. */
function naive (table: FeatureTable): unknown {
  const { entities, now, selection } = table
  let first = 0
  return {
    now, entity: selection.entity, entities, views: selection.views.map(({ view, names }, v) => {
      const columns = names.map((_, i) => first + i)
      first += names.length
      const rows = (of: (e: number, c: number) => number | null): unknown => entities.map((_, e) => columns.map(c => of(e, c)))
      return {
        view: view.name, version: view.version, ttlMs: view.ttlMs, features: names,
        asOf: entities.map((_, e) => orNull(table.asOf(e, v))),
        state: entities.map((_, e) => Number.isNaN(table.asOf(e, v)) ? 'never-stored' : now - table.asOf(e, v) > view.ttlMs ? 'expired' : 'served'),
        values: rows((e, c) => orNull(table.value(e, c))), eventTimes: rows((e, c) => orNull(table.eventTime(e, c))), agesMs: rows((e, c) => orNull(table.ageMs(e, c))),
      }
    }),
  }
}
/** JSON knows no -0. */
const orNull = (value: number): number | null => Number.isNaN(value) ? null : value + 0

describe('the forms of an answer', () => {
  it('JSON and binary say what the columns hold, for any rows', async () => {
    await fc.assert(fc.asyncProperty(stored, async entities => {
      const table = await tableOf(entities.map((rows, e) => rows.map((row, v) => row === null ? undefined : { entity: '', version: 1, value: rowOf(views[v]!, String(e), row.asOf, row.cells.map(c => c[0]), row.cells.map(c => c[1])).value! })))
      expect(JSON.parse(encodeJson(table).toString())).toEqual(naive(table))
      const { head, data } = decodeBinary(encodeBinary(table))
      expect(data).toEqual(table.data)
      expect(head).toMatchObject({ now: 10_000_000, entity: 'patient', entities: entities.length, views: [{ view: 'numerics', features: views[0]!.names }, { view: 'blood', version: 2, ttlMs: 3_600_000 }] })
    }), { numRuns: 300 })
  })

  it('refuses bytes that are not of the binary form', async () => {
    const whole = encodeBinary(await tableOf([[undefined, undefined]]))
    for (const length of [0, 4, 7, 20, whole.length - 1]) expect(() => decodeBinary(whole.subarray(0, length))).toThrow('not features in the binary form')
    expect(() => decodeBinary(Buffer.from('{"now":1,"views":[]}'))).toThrow('not features in the binary form')
  })
})

describe('the text of a number', () => {
  const buffer = Buffer.alloc(64)
  const data = new DataView(buffer.buffer, buffer.byteOffset, 64)
  const textOf = (x: number): string => {
    const end = writeNumber(data, 0, x)
    expect(end).toBeLessThanOrEqual(NUMBER_BYTES_MAX)
    return buffer.toString('latin1', 0, end)
  }

  it('reads back as the same double, for any', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), x => JSON.parse(textOf(x)) === x), { numRuns: 20_000 })
    fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), x => JSON.parse(textOf(x)) === x), { numRuns: 20_000 })
  })

  it('is the shortest for what has at most 15 digits', () => {
    fc.assert(fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), fc.integer({ min: 0, max: 15 }), (n, k) => {
      const x = n / 10 ** k
      expect(textOf(x)).toBe(Math.abs(x) < 1e-6 ? String(x + 0) : JSON.stringify(x))
    }), { numRuns: 20_000 })
  })

  it('next to powers of ten is right', () => {
    const double = new Float64Array(1)
    const bits = new BigInt64Array(double.buffer)
    for (let e = -8; e < 18; e++) {
      for (let step = -4n; step <= 4n; step++) {
        double[0] = Number(`1e${e}`)
        bits[0] = bits[0]! + step
        expect(JSON.parse(textOf(double[0]!))).toBe(double[0])
      }
    }
  })

  it('says null for nothing and a number too large for the infinite', () => { expect([NaN, Infinity, -Infinity, -0].map(textOf)).toEqual(['null', '1e999', '-1e999', '0']) })
})

describe('columns of packed vectors', () => {
  it('are what the other reader reads, whole or picked, for any vector', () => {
    const wide = fc.array(fc.tuple(fc.oneof(fc.constant(NaN), fc.double({ noNaN: true })), fc.integer({ min: 0, max: 400 })), { minLength: 1, maxLength: 700 })
    fc.assert(fc.property(wide, fc.nat(), (cells, pick) => {
      const n = cells.length
      const packed = packVector({ values: Float64Array.from(cells, c => c[0]), times: Float64Array.from(cells, c => c[1]) })
      const expected = unpackVector(packed)
      const into = new Float64Array(2 * n + 1)
      const shifted = Buffer.concat([Buffer.from([7]), packed])
      expect(readColumns(shifted, 1, n, undefined, into, 0, n)).toBe(expected.values.filter(v => !Number.isNaN(v)).length)
      expect([into.subarray(0, n), into.subarray(n, 2 * n)]).toEqual([expected.values, expected.times])
      const one = pick % n
      readColumns(packed, 0, n, Uint16Array.of(one), into, 0, 1)
      expect([into[0], into[1]]).toEqual([expected.values[one], expected.times[one]])
    }))
  })
})
