import { expect, it } from 'vitest'
import { driftCountsMachine, type DriftCounts, type WatchedVector } from '../../../inference/monitors/drift-counts.ts'
import { driftMachine } from '../../../inference/monitors/drift.ts'
import type { DriftReference } from '../../../inference/monitors/reference.ts'
import type { DriftResult } from '../../../inference/alerts/index.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'

const MINUTE = 60_000
const REFERENCE: DriftReference = { view: 'vitals', version: 1, features: [{ name: 'heartRate', place: 0, edges: [60, 100], shares: [0.2, 0.6, 0.2], missingShare: 0, count: 1_000 }] }
const KEY = 'vitals@1'

it('counts one vector of each patient in a window, the first, and tells the window when it has ended', () => {
  const machine = new KeyedMachine(driftCountsMachine([REFERENCE], MINUTE))
  const told: DriftCounts[] = []
  const say = (at: number, patient: string, heartRate: number): void => {
    const value: WatchedVector = { patient, vector: { type: 'vector', view: 'vitals', version: 1, asOf: at, trigger: 'timer', values: Float64Array.of(heartRate), times: Float64Array.of(at) } }
    machine.record(0, at, KEY, value, e => { told.push(e.out) })
  }
  say(MINUTE + 1, 'p', 60)
  say(MINUTE + 2, 'p', 150)
  say(MINUTE + 3, 'q', NaN)
  say(2 * MINUTE, 'p', 99)
  machine.tick(1, 3 * MINUTE, e => { told.push(e.out) })
  expect(told.map(t => [t.windowStart / MINUTE, t.windowEnd / MINUTE, t.counts])).toEqual([[1, 2, [[0, 1, 0, 1]]], [2, 3, [[0, 1, 0, 0]]]])
})

function drift (): { readonly told: DriftResult[], say (at: number, window: number, counts: readonly number[]): void, wait (at: number): void } {
  const machine = new KeyedMachine(driftMachine([REFERENCE], 10_000))
  const told: DriftResult[] = []
  const hear = (e: { readonly out: DriftResult }): void => { told.push(e.out) }
  return {
    told,
    say: (at, window, counts) => { machine.record(0, at, KEY, { view: 'vitals', version: 1, windowStart: window * MINUTE, windowEnd: (window + 1) * MINUTE, counts: [counts] }, hear) },
    wait: at => { machine.tick(0, at, hear) },
  }
}

it('adds up the partitions of a window, waits for its grace, and compares with the reference', () => {
  const { told, say, wait } = drift()
  say(2 * MINUTE, 1, [10, 30, 10, 0])
  say(2 * MINUTE + 9_000, 1, [10, 30, 10, 0])
  wait(2 * MINUTE + 9_999)
  expect(told).toEqual([])
  wait(2 * MINUTE + 10_000)
  expect(told).toHaveLength(1)
  expect(told[0]).toMatchObject({ feature: 'heartRate', windowStart: MINUTE, count: 100, alarm: false, missingShare: 0 })
})

it('alarms when the values, or their absence, are not those of training', () => {
  const { told, say, wait } = drift()
  say(2 * MINUTE, 1, [0, 10, 190, 0])
  say(3 * MINUTE, 2, [10, 30, 10, 150])
  wait(5 * MINUTE)
  expect(told.map(t => [t.alarm, t.missingShare])).toEqual([[true, 0], [true, 0.75]])
})

it('tells a window again when a partition comes after its grace, and not one that is no longer kept', () => {
  const { told, say, wait } = drift()
  say(2 * MINUTE, 1, [10, 30, 10, 0])
  wait(3 * MINUTE)
  say(3 * MINUTE, 1, [0, 0, 50, 0])
  expect(told.map(t => t.count)).toEqual([50, 100])
  for (const window of [10, 11, 12]) say((window + 1) * MINUTE, window, [10, 30, 10, 0])
  wait(20 * MINUTE)
  told.length = 0
  say(20 * MINUTE, 1, [0, 50, 0, 0])
  wait(30 * MINUTE)
  expect(told).toEqual([])
})
