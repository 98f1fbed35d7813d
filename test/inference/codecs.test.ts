import { beforeAll, expect, it } from 'vitest'
import { openInferenceCodecs, type InferenceCodecs } from '../../inference/codecs.ts'
import type { AlertChange, DriftResult, Score } from '../../inference/alerts/index.ts'
import { bookOn, recordOf, storage } from '../streams/events/support.ts'

let codecs: InferenceCodecs
beforeAll(async () => { codecs = await openInferenceCodecs(await bookOn(storage())) })

const reasons = [{ feature: 'lactateLast', value: null, contribution: -0.5, eventTime: null }, { feature: 'heartRateLast', value: 120, contribution: 0.25, eventTime: 1_900_000_000_001 }]

it('gives scores, alerts, counts and drift back as they were written', () => {
  const score: Score = { model: 'sepsis', modelVersion: '1', view: 'sepsis', viewVersion: 1, asOf: 1_900_000_000_000, probability: 0.123456789, presentShare: 0.5, reasons }
  const alert: AlertChange = { alertId: 'a', rule: 'no-data', priority: 'low', state: 'active', raisedAt: 1, changedAt: 2, onsetEventTime: 3, value: NaN, threshold: 300, missing: ['news2Pulse'], reasons, acknowledgedBy: '', basis: 'vitals@1' }
  const counts = { view: 'vitals', version: 1, windowStart: 0, windowEnd: 60_000, counts: [[1, 2, 3], [4]] }
  const drift: DriftResult = { view: 'vitals', viewVersion: 1, feature: 'heartRateLast', windowStart: 0, windowEnd: 60_000, count: 0, psi: NaN, threshold: 0.1, alarm: false, missingShare: 0, referenceMissingShare: 0.25 }
  const back = [codecs.encodeScore(score), codecs.encodeAlert(alert), codecs.encodeDriftCounts(counts), codecs.encodeDrift(drift)].map(bytes => codecs.decode(recordOf(bytes)))
  expect(back.map(value => structuredClone(value))).toEqual([score, alert, counts, drift])
})

it('refuses what is cut short or unknown', () => {
  const bytes = codecs.encodeDrift({ view: 'v', viewVersion: 1, feature: 'f', windowStart: 0, windowEnd: 1, count: 0, psi: 0, threshold: 0, alarm: true, missingShare: 0, referenceMissingShare: 0 })
  expect(() => codecs.decode(recordOf(bytes.subarray(0, bytes.length - 1)))).toThrow(expect.objectContaining({ code: 'PAYLOAD_INVALID' }) as Error)
  expect(() => codecs.decode(recordOf(Buffer.from([0, 0, 0, 99, 99, 1])))).toThrow(expect.objectContaining({ code: 'SCHEMA_UNKNOWN' }) as Error)
})
