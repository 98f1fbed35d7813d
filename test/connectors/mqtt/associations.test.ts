import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ASSOCIATION_HISTORY_MS, DeviceHistory, type Span } from '../../../connectors/mqtt/associations.ts'

const who = (patient: string): Span['who'] => ({ patient })
const patientAt = (history: DeviceHistory, at: number): string | undefined => { const found = history.at(at); return found !== undefined && 'patient' in found ? found.patient : undefined }

describe('whom a device measured', () => {
  it('is whom the span that began last says, and nobody in a gap', () => {
    const history = new DeviceHistory()
    history.say({ from: 10, to: 20, who: who('A') })
    history.say({ from: 30, to: Infinity, who: who('B') })
    expect([9, 10, 19, 20, 29, 30, 1_000].map(at => patientAt(history, at))).toEqual([undefined, 'A', 'A', undefined, undefined, 'B', 'B'])
  })

  it('is not changed after a later beginning by what is said late, and is corrected by the same beginning', () => {
    const history = new DeviceHistory()
    history.say({ from: 30, to: Infinity, who: who('B') })
    history.say({ from: 10, to: Infinity, who: who('A') })
    expect([20, 40].map(at => patientAt(history, at))).toEqual(['A', 'B'])
    history.say({ from: 10, to: Infinity, who: who('C') })
    expect([20, 40].map(at => patientAt(history, at))).toEqual(['C', 'B'])
  })

  it('reads rows of earlier versions, which held the association alone', () => {
    expect(new DeviceHistory({ ward: 'W', bed: '1' }).at(5)).toEqual({ ward: 'W', bed: '1' })
  })

  it('is nobody for what is older than the history', () => {
    const history = new DeviceHistory()
    history.say({ from: 0, to: Infinity, who: who('A') })
    history.newest = 2 * ASSOCIATION_HISTORY_MS
    expect([patientAt(history, ASSOCIATION_HISTORY_MS - 1), patientAt(history, ASSOCIATION_HISTORY_MS)]).toEqual([undefined, 'A'])
  })
})

it('says the same as a naive twin, also after it was kept and read again', () => {
  const span = fc.record({ from: fc.integer({ min: 0, max: 8 }), length: fc.option(fc.integer({ min: 1, max: 5 })), patient: fc.option(fc.constantFrom('A', 'B', 'C')), restart: fc.boolean() })
  fc.assert(fc.property(fc.array(span, { maxLength: 12 }), spans => {
    let history = new DeviceHistory()
    const all: Span[] = []
    for (const { from, length, patient, restart } of spans) {
      if (restart) history = new DeviceHistory(JSON.parse(JSON.stringify(history.row)))
      const one: Span = { from, to: length === null ? Infinity : from + length, who: patient === null ? undefined : who(patient) }
      history.say(one)
      const same = all.findIndex(other => other.from === from)
      if (same >= 0) all[same] = one; else all.push(one)
      for (let at = -1; at < 16; at++) {
        const holds = all.filter(({ from: begin, to }) => begin <= at && at < to).sort((a, b) => a.from - b.from).at(-1)?.who
        expect(patientAt(history, at), `at ${at}`).toBe(holds !== undefined && 'patient' in holds ? holds.patient : undefined)
      }
    }
  }), { numRuns: 300 })
})
