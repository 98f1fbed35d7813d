import { expect, test } from 'vitest'
import type { Connector, DeviceClocks } from '../../../../connectors/kit/index.ts'
import { measureFeeds } from '../../../../ops/run/dashboard-sources.ts'
import { openMetrics } from '../../../../ops/telemetry/index.ts'

const NONE = { inStep: 0, seconds: 0, minutes: 0, hours: 0, days: 0, unknown: 0 }
const connector = (name: string, clocks?: () => DeviceClocks): Connector => ({ name, endpoint: '', health: () => ({ state: 'up', since: 0, why: '' }), ...clocks === undefined ? {} : { clocks }, [Symbol.asyncDispose]: () => Promise.resolve() })

test('clocks of devices are gauges by feed and distance, whatever the number of devices, and fall when a clock is set', async () => {
  const metrics = openMetrics()
  let clocks: DeviceClocks = { byDistance: { ...NONE, inStep: 2, minutes: 1 }, worst: [{ device: 'monitor-07', offsetMs: -421_500, looks: 'off', heardAt: 0 }] }
  const connectors = [connector('lab'), connector('ward', () => clocks)]
  const lines = async (): Promise<readonly string[]> => { measureFeeds(metrics, connectors); return (await metrics.registry.metrics()).split('\n').filter(line => line.startsWith('latido_device_clock')) }
  expect(await lines()).toEqual(['latido_device_clocks{feed="ward",off="inStep"} 2', 'latido_device_clocks{feed="ward",off="seconds"} 0', 'latido_device_clocks{feed="ward",off="minutes"} 1', 'latido_device_clocks{feed="ward",off="hours"} 0', 'latido_device_clocks{feed="ward",off="days"} 0', 'latido_device_clocks{feed="ward",off="unknown"} 0', 'latido_device_clock_offset_seconds_max{feed="ward"} 421.5'])
  clocks = { byDistance: { ...NONE, inStep: 3 }, worst: [] }
  expect((await lines()).filter(line => !line.endsWith(' 0'))).toEqual(['latido_device_clocks{feed="ward",off="inStep"} 3'])
})
