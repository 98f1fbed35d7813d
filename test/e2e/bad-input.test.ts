import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatTime } from '../../connectors/hl7/index.ts'
import type { RefusalCause } from '../../streams/events/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, chartedSet, codeOf, DeviceClient, hl7, MllpClient, pipelineOf, STABLE, startCli, until, type Cli } from './kit/index.ts'

const dir = tempDir()
let cli: Cli
beforeAll(async () => { cli = await startCli({ dataDir: dir.path, flags: ['--offline', 'off'] }) })
afterAll(async () => { await cli.end('SIGINT'); dir.remove() })

let next = 0
const controlId = (): string => `B-${++next}`
const now = systemClock.now()
const DAY_MS = 86_400_000

const msh = (type: string): string => `MSH|^~\\&|LIS|INVENTED|LATIDO|LATIDO|${formatTime(now)}||${type}|${controlId()}|P|2.5.1`
const PID = 'PID|1||BAD-1^^^INVENTED^MR'
const result = (obx: string): Buffer => hl7(msh('ORU^R01^ORU_R01'), PID, `OBR|1||${controlId()}|PANEL^Panel^L|||${formatTime(now)}`, obx)

/** What must be found among the dead letters at the end. */
const expected = new Map<RefusalCause, number>()
const published = async (connector: string): Promise<number> => (await pipelineOf(cli.url)).connectors.find(c => c.name === connector)?.counters.find(c => c.what === 'published')?.count ?? 0

describe('over MLLP', () => {
  // A message that is taken at all is AA with a warning: what was refused in it is a dead letter of its own.
  const cases: readonly (readonly [what: string, message: () => Buffer, code: string, cause: RefusalCause])[] = [
    ['a frame that is not HL7', () => Buffer.from('GET / HTTP/1.1'), 'AR', 'not-hl7'],
    ['an unknown message type', () => hl7(msh('ZZZ^Z01'), PID), 'AR', 'unsupported-type'],
    ['a missing patient id', () => hl7(msh('ORU^R01^ORU_R01'), 'PID|1||', 'OBX|1|NM|8867-4^^LN||80|/min|||||F'), 'AR', 'patient-missing'],
    ['an unparsable value', () => result('OBX|1|NM|2524-7^^LN||a lot|mmol/L|||||F'), 'AA', 'value-unparsable'],
    ['an impossible value', () => result('OBX|1|NM|2524-7^^LN||4000|mmol/L|||||F'), 'AA', 'value-impossible'],
    ['an unknown code', () => result('OBX|1|NM|0-0^Invented^LN||1|mmol/L|||||F'), 'AA', 'code-unknown'],
    ['an unknown unit', () => result('OBX|1|NM|2524-7^^LN||1|furlongs|||||F'), 'AA', 'unit-unknown'],
    ['a time in the future', () => result(`OBX|1|NM|2524-7^^LN||1|mmol/L|||||F|||${formatTime(now + DAY_MS)}`), 'AA', 'time-in-future'],
    ['a time that is none', () => result('OBX|1|NM|2524-7^^LN||1|mmol/L|||||F|||yesterday'), 'AA', 'time-unparsable'],
  ]
  it.each(cases)('%s is answered, and the next message goes through', async (_what, message, code, cause) => {
    using sender = await MllpClient.open(cli.mllpPort)
    const before = await published('hl7')
    expect(codeOf(await sender.exchange(message()) ?? '')).toBe(code)
    expect(codeOf(await sender.exchange(chartedSet(controlId(), 'BAD-1', STABLE, now)) ?? '')).toBe('AA')
    expect(await published('hl7')).toBe(before + 1)
    expected.set(cause, (expected.get(cause) ?? 0) + 1)
  })

  it('a duplicate message gets the same answer and is published once', async () => {
    using sender = await MllpClient.open(cli.mllpPort)
    const message = chartedSet(controlId(), 'BAD-1', STABLE, now)
    const before = await published('hl7')
    expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    const { connectors } = await pipelineOf(cli.url)
    const counter = (what: string): number => connectors.find(c => c.name === 'hl7')?.counters.find(c => c.what === what)?.count ?? 0
    expect(counter('published')).toBe(before + 1)
    expect(counter('duplicate')).toBe(1)
  })

  it('junk between frames and a sender that leaves in the middle of one cost nobody anything', async () => {
    {
      using rude = await MllpClient.open(cli.mllpPort)
      rude.raw(Buffer.from('\r\njunk\x0bMSH|^~\\&|HALF'))
    }
    using sender = await MllpClient.open(cli.mllpPort)
    sender.raw(Buffer.from('more junk'))
    expect(codeOf(await sender.exchange(admission(controlId(), 'BAD-2', '09', now)) ?? '')).toBe('AA')
  })
})

describe('over MQTT', () => {
  const heart = { code: '147842', value: 80, unit: '/min' }
  const cases: readonly (readonly [what: string, topic: string | undefined, payload: () => unknown, cause: RefusalCause])[] = [
    ['a topic that nobody mapped', 'elsewhere/monitor', () => ({ a: 1 }), 'device-unmapped'],
    ['a device at no bed', 'latido/devices/stray/numerics', () => ({ time: now, seq: 1, numerics: [heart] }), 'device-unmapped'],
    ['a payload that is not JSON', undefined, () => 'no json', 'malformed'],
    ['an unknown code', undefined, () => ({ time: now, seq: 11, numerics: [{ ...heart, code: '1' }] }), 'code-unknown'],
    ['an unknown unit', undefined, () => ({ time: now, seq: 12, numerics: [{ ...heart, unit: 'furlongs' }] }), 'unit-unknown'],
    ['an impossible value', undefined, () => ({ time: now, seq: 13, numerics: [{ ...heart, value: 999 }] }), 'value-impossible'],
    ['an unparsable value', undefined, () => ({ time: now, seq: 14, numerics: [{ ...heart, value: 'many' }] }), 'value-unparsable'],
    ['a time in the future', undefined, () => ({ time: now + DAY_MS, seq: 15, numerics: [heart] }), 'time-in-future'],
    ['a time that is none', undefined, () => ({ time: 'yesterday', seq: 16, numerics: [heart] }), 'time-unparsable'],
  ]
  it.each(cases)('%s is acknowledged, and the next message goes through', async (_what, topic, payload, cause) => {
    await using device = await DeviceClient.open(cli.mqttPort, 'bad-monitor')
    await device.publish('association', { patient: 'BAD-3' })
    const before = await published('mqtt')
    await device.publishTo(topic ?? 'latido/devices/bad-monitor/numerics', payload())
    await device.publish('numerics', { time: systemClock.now(), seq: 1_000 + ++next, numerics: [heart] })
    expect(await published('mqtt')).toBe(before + 1)
    expected.set(cause, (expected.get(cause) ?? 0) + 1)
  })

  it('a sensor that is off is no value and no fault', async () => {
    await using device = await DeviceClient.open(cli.mqttPort, 'bad-monitor')
    await device.publish('association', { patient: 'BAD-3' })
    await device.publish('numerics', { time: systemClock.now(), seq: 2_000, numerics: [{ ...heart, value: null }] })
    expect((await pipelineOf(cli.url)).connectors.find(c => c.name === 'mqtt')?.counters.find(c => c.what === 'sensor-off')?.count).toBe(1)
  })
})

it('all that was refused is a dead letter with its cause and its bytes, and says no value', async () => {
  const total = [...expected.values()].reduce((a, b) => a + b, 0)
  const { deadLetters } = await until('the dead letters', async () => { const status = await pipelineOf(cli.url); return status.deadLetters.total >= total ? status : undefined })
  expect(deadLetters.byCause).toEqual(Object.fromEntries(expected))
  expect(deadLetters.newest).toHaveLength(total)
  for (const letter of deadLetters.newest) {
    expect(letter.bytes).toBeGreaterThan(0)
    expect(letter.detail).not.toMatch(/BAD-|a lot|4000|furlongs|yesterday|999|many/)
  }
})
