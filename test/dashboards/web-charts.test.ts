import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GAP_MS, joinLines, openGap, withGaps } from '../../dashboards/web/src/charts/gaps.ts'
import { byBed, inHeldOrder } from '../../dashboards/web/src/board/order.ts'
import { mostDriftFirst, psiScale } from '../../dashboards/web/src/drift/order.ts'
import type { WireDrift, WirePatient } from '../../dashboards/server/wire.ts'

const MINUTE_MS = 60_000
const device = (...minutes: number[]): { times: number[], values: number[], kinds: string[] } => ({ times: minutes.map(m => m * MINUTE_MS), values: minutes, kinds: minutes.map(() => 'device') })

describe('a trend line', () => {
  it('breaks between two readings of a monitor that are further apart than five minutes, and tells the gap', () => {
    expect(withGaps(device(0, 1, 6, 12), 0)).toEqual({ times: [0, 1, 6, 9, 12].map(m => m * MINUTE_MS), values: [0, 1, 6, null, 12], gaps: [{ from: 6 * MINUTE_MS, to: 12 * MINUTE_MS }] })
  })

  it('joins charted values over hours, and does not shade the time between those it does not join', () => {
    const hours = (...h: number[]): Parameters<typeof withGaps>[0] => ({ times: h.map(x => x * 60 * MINUTE_MS), values: h, kinds: h.map(() => 'charted') })
    expect(withGaps(hours(0, 4), 0).values).toEqual([0, 4])
    expect(withGaps(hours(0, 5), 0)).toMatchObject({ values: [0, null, 5], gaps: [] })
  })

  it('knows no gap shorter than three buckets of a thinned trend', () => {
    expect(withGaps(device(0, 6), 3 * MINUTE_MS).gaps).toEqual([])
  })

  it('is open to now when the monitor has stopped sending', () => {
    expect(openGap(device(0, 1), 10 * MINUTE_MS, 0)).toEqual({ from: MINUTE_MS, to: 10 * MINUTE_MS })
    expect(openGap(device(0, 9), 10 * MINUTE_MS, 0)).toBeUndefined()
  })

  it('keeps every reading, and never joins two across more than the limit', () => {
    const line = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 30 }).map(steps => { let at = 0; return device(...steps.map(step => at += step)) })
    fc.assert(fc.property(line, readings => {
      const { times, values } = withGaps(readings, 0)
      expect(values.filter(value => value !== null)).toEqual(readings.values)
      for (let i = 1; i < times.length; i++) if (values[i] !== null && values[i - 1] !== null) expect(times[i]! - times[i - 1]!).toBeLessThanOrEqual(GAP_MS['device']!)
    }))
  })

  it('shares a time axis with others and keeps their breaks apart', () => {
    const { times, columns } = joinLines([withGaps(device(0, 10), 0), withGaps(device(2, 4), 0)])
    expect(times).toEqual([0, 2, 4, 5, 10].map(m => m * MINUTE_MS))
    expect(columns).toEqual([[0, undefined, undefined, null, 10], [undefined, 2, 4, undefined, undefined]])
  })
})

describe('order', () => {
  const patient = (key: string, ward: string, bed: string): WirePatient => ({ patient: key, ward, bed }) as WirePatient

  it('by bed puts bed 2 before bed 10', () => {
    expect([patient('a', 'B', '1'), patient('b', 'A', '10'), patient('c', 'A', '2')].sort(byBed).map(p => p.patient)).toEqual(['c', 'b', 'a'])
  })

  it('is held while somebody points: whoever is new comes last, whoever is gone is gone', () => {
    expect(inHeldOrder([patient('new', '', ''), patient('b', '', ''), patient('a', '', '')], ['a', 'gone', 'b']).map(p => p.patient)).toEqual(['a', 'b', 'new'])
  })

  it('of drift puts alarms first, then the nearest to its limit, then what was not measured', () => {
    const row = (feature: string, psi: number | null, threshold: number, alarm: boolean): WireDrift => ({ view: 'v', viewVersion: 1, feature, windowStart: 0, windowEnd: 1, count: 1, psi, threshold, alarm, missingShare: 0, referenceMissingShare: 0 })
    const rows = [row('none', null, 0.1, false), row('calm', 0.01, 0.1, false), row('near', 0.09, 0.1, false), row('alarm', 0.2, 0.15, true)]
    expect(mostDriftFirst(rows).map(r => r.feature)).toEqual(['alarm', 'near', 'calm', 'none'])
    expect(psiScale(rows)).toBeCloseTo(0.3)
    expect(psiScale([row('wild', 7, 0.1, true)])).toBe(1)
  })
})
