import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OutputStage } from '../../../streams/engine/output-stage.ts'
import type { Outputs } from '../../../streams/engine/index.ts'

type Row = readonly [topic: string, to: string | undefined, at: number, key: string | null, value: string | null]
const textOrNull = (maxLength: number): fc.Arbitrary<string | null> => fc.option<string>(fc.string({ maxLength }))
const row: fc.Arbitrary<Row> = fc.tuple(fc.constantFrom<string>('a', 'b', 'c'), fc.constantFrom<string | undefined>(undefined, 'k1', 'k2'), fc.nat(), textOrNull(80), textOrNull(9_000))

/** Adds a row from buffers that are used again at once. */
function add (out: Outputs, [topic, to, at, key, value]: Row): void {
  const bytes = Buffer.from(`<${key ?? ''}${value ?? ''}>`)
  const keyEnd = 1 + Buffer.byteLength(key ?? '')
  const sink = to === undefined ? out(topic) : out(topic, Buffer.from(to))
  sink.add(at, bytes, key === null ? -1 : 1, key === null ? -1 : keyEnd, bytes, value === null ? -1 : keyEnd, value === null ? -1 : bytes.length - 1)
  bytes.fill(0)
}

it('hands over what it was given, in order, batch after batch', () => {
  const stage = new OutputStage()
  fc.assert(fc.property(fc.array(row, { maxLength: 30 }), rows => {
    for (const r of rows) add(stage.out, r)
    expect(stage.count).toBe(rows.length)
    const got: Row[] = []
    const text = (b: Buffer, start: number, end: number): string | null => start < 0 ? null : b.toString('utf8', start, end)
    stage.flush((topic, to) => ({ add: (at, k, ks, ke, v, vs, ve) => { got.push([topic, to?.toString(), at, text(k, ks, ke), text(v, vs, ve)]) } }))
    expect(got).toEqual(rows.map(([topic, to, at, k, v]) => [topic, to, at, k === null ? null : Buffer.from(k).toString(), v === null ? null : Buffer.from(v).toString()]))
    expect(stage.count).toBe(0)
  }), { numRuns: 60 })
})
