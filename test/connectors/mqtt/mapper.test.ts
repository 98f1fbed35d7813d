import { beforeEach, describe, expect, it } from 'vitest'
import { ARTEFACT_RULES, DEVICE_OPTIONS, DEVICE_STATUS_SYSTEM, Devices, fromEnvelope, mqttMapper, toEnvelope, type DeviceOptions } from '../../../connectors/mqtt/index.ts'
import { Inbox } from '../../../connectors/mqtt/inbox.ts'
import { Feed, fixedMapping, PLAIN_MAPPING } from '../../../connectors/kit/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

let intake: FakeIntake
let devices: Devices
let feed: Feed
let inbox: Inbox
const kept = new Map<string, unknown>()

function open (more: Partial<DeviceOptions> = {}, mapping = PLAIN_MAPPING): void {
  const options = { ...DEVICE_OPTIONS, ...more }
  devices = new Devices(options)
  devices.open({ load: () => [...kept] as never, save: (name, row) => { kept.set(name, JSON.parse(JSON.stringify(row ?? null))); return Promise.resolve() } })
  feed = new Feed({ name: 'ward', kind: 'mqtt', intake, mapping: fixedMapping(mapping), map: mqttMapper(options, devices) })
  inbox = new Inbox(feed, devices)
}
beforeEach(() => { kept.clear(); intake = new FakeIntake(); open() })

const send = (channel: string, payload: object, device = 'm1'): Promise<void> => inbox.receive(`latido/devices/${device}/${channel}`, Buffer.from(JSON.stringify(payload)))
const hr = (value: number): object => ({ code: '147842', value, unit: '/min' })
const patients = (): readonly string[] => intake.published.map(({ patient }) => patient.id)
const observations = (): readonly (readonly [string, number, string, number])[] => intake.published.flatMap(({ event }) => event.type === 'observations' ? event.observations.map(o => [o.concept, Math.round(o.value * 10) / 10, o.quality, o.eventTime - NOW_MS] as const) : [])

it('an envelope holds any topic and any bytes', () => {
  for (const [topic, payload] of [['a/b', Buffer.from([0, 10, 255])], ['we%ird\n/top\u0001ic/\u00e9', Buffer.alloc(0)]] as const) expect(fromEnvelope(toEnvelope(topic, payload))).toEqual({ topic, payload })
  for (const raw of ['', 'mqtt', 'mqtt topic without an end', 'MSH|^~\\&']) expect(fromEnvelope(Buffer.from(raw))).toBeUndefined()
})

describe('waves', () => {
  const wave = (more: object): object => ({ time: NOW_MS - 20_000, intervalMs: 15_000, seq: 1, patient: 'P1', waves: [more] })
  it('the mean of an arterial wave is the mean pressure at the end of the interval; the greatest CO2 of 15 s is end-tidal', async () => {
    await send('waves', wave({ code: 'MDC_PRESS_BLD_ART', mean: 12, min: 9.3, max: 16, unit: 'kPa' }))
    await send('waves', { ...wave({ code: 'MDC_CONC_AWAY_CO2', mean: 20, min: 0, max: 38, unit: 'mmHg', quality: 'questionable' }), seq: 2 })
    expect(observations()).toEqual([['meanPressure', 90, 'valid', -5_000], ['etco2', 38, 'questionable', -5_000]])
    expect(intake.published.map(m => m.messageId)).toEqual(['m1|waves|1', 'm1|waves|2'])
  })
  it('a wave that says nothing that is computed with is counted, a flat one is an artefact, an unknown one a dead letter', async () => {
    await send('waves', wave({ code: 'MDC_ECG_ELEC_POTL_II', mean: 0, min: -0.4, max: 1.1, unit: 'mV' }))
    await send('waves', { ...wave({ code: '150032', mean: 90, min: 90, max: 90, unit: 'mmHg' }), seq: 2 })
    await send('waves', { ...wave({ code: 'MDC_NOBODY', mean: 90, min: 90, max: 90, unit: 'mmHg' }), seq: 3 })
    await send('waves', { ...wave({ code: '150032', mean: 190, min: 60, max: 120, unit: 'mmHg' }), seq: 4 })
    await send('waves', { ...wave({ code: '150032', mean: null, min: null, max: null, unit: 'mmHg' }), seq: 5 })
    expect(observations()).toEqual([['meanPressure', 90, 'artefact', -5_000]])
    expect([intake.causes(), intake.counts.get('wave-without-concept'), intake.counts.get('sensor-off'), intake.counts.get('artefact-flat-wave')]).toEqual([['code-unknown', 'malformed'], 1, 1, 1])
  })
})

describe('the state of a device', () => {
  it('is a statement of the patient whom it measures; of a device of nobody it is only counted', async () => {
    await send('status', { state: 'online' })
    await send('association', { patient: 'P1' })
    await send('status', { state: 'lost' })
    expect(intake.published).toMatchObject([{ patient: { id: 'P1' }, event: { type: 'statement', kind: 'device', statementId: 'device:m1', status: 'inactive', system: DEVICE_STATUS_SYSTEM, code: 'lost', eventTime: NOW_MS, endTime: -1 } }])
    expect([intake.counts.get('status-online'), intake.counts.get('status-lost'), intake.causes(), devices.stateOf('m1')]).toEqual([1, 1, [], 'lost'])
  })
})

describe('whose a reading is', () => {
  it('goes by its own time: an association that says from when, in any order, also after a restart', async () => {
    await send('association', { patient: 'A', from: NOW_MS - 60_000, to: NOW_MS - 30_000 })
    await send('association', { patient: 'B', from: NOW_MS - 20_000 })
    open()
    for (const [seq, ago] of [61, 60, 31, 30, 21, 20, 0].entries()) await send('numerics', { time: NOW_MS - ago * 1_000, seq, numerics: [hr(80)] })
    expect(patients()).toEqual(['A', 'A', 'B', 'B'])
    expect(intake.causes()).toEqual(['device-unmapped', 'device-unmapped', 'device-unmapped'])
  })

  it('asks who lay in the bed at that time', async () => {
    Object.assign(intake, { patientInBed: (ward: string, bed: string, at: number) => `${ward}${bed} at ${at - NOW_MS}` })
    await send('association', { ward: 'W', bed: '1', from: NOW_MS - 60_000 })
    await send('numerics', { time: NOW_MS - 5_000, seq: 1, numerics: [hr(80)] })
    expect(patients()).toEqual(['W1 at -5000'])
  })

  it('an association that says no time begins with what comes after it, also where it was kept by a broker for hours', async () => {
    await send('association', { patient: 'A' })
    await send('numerics', { time: NOW_MS, seq: 1, numerics: [hr(80)] })
    intake.nowMs += 7_200_000 // the log was away
    await send('association', { patient: 'B' })
    await send('numerics', { time: NOW_MS + 60_000, seq: 2, numerics: [hr(80)] })
    expect(patients()).toEqual(['A', 'B'])
  })

  it('a dead letter is taken when the association has come', async () => {
    await send('numerics', { time: NOW_MS - 5_000, seq: 1, numerics: [hr(80)] })
    expect(intake.causes()).toEqual(['device-unmapped'])
    await send('association', { patient: 'A', from: NOW_MS - 60_000 })
    expect(await feed.take(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
    expect(patients()).toEqual(['A'])
  })

  it('follows the namespaces of the feed', async () => {
    open({}, { ...PLAIN_MAPPING, namespaces: new Map([['HOSP', 'mrn']]) })
    await send('numerics', { time: NOW_MS, seq: 1, patient: '7', authority: 'HOSP', numerics: [hr(80)] })
    await send('numerics', { time: NOW_MS, seq: 2, patient: '7', authority: 'OTHER', numerics: [hr(80)] })
    expect([patients(), intake.causes()]).toEqual([['mrn|7'], ['patient-missing']])
  })
})

describe('the clock of a device', () => {
  let seq = 0
  const minutes = async (lagMs: number, count = 5, device = 'm1'): Promise<void> => { for (let i = 0; i < count; i++) { await send('numerics', { time: intake.nowMs - lagMs, seq: seq++, patient: 'P', numerics: [hr(80)] }, device); intake.nowMs += 60_000 } }
  const clocks = (): ReturnType<Devices['clocks']> => devices.clocks(intake.nowMs)

  it('is estimated and shown, and times stay as they were', async () => {
    await minutes(90_000)
    expect(observations().at(-1)?.[3]).toBe(240_000 - 90_000)
    expect(clocks()).toEqual({ byDistance: { inStep: 0, seconds: 0, minutes: 1, hours: 0, days: 0, unknown: 0 }, worst: [{ device: 'm1', offsetMs: 90_000, looks: 'off', heardAt: NOW_MS + 240_000 }] })
  })
  it('of all of them the worst come first, twenty at most; those in step are only counted, and what was silent for a day is not', async () => {
    await minutes(7_000, 5, 'silent')
    intake.nowMs += 86_400_000
    for (let i = 0; i < 25; i++) await minutes(i * 1_000 * (i % 2 === 0 ? 1 : -1), 4, `d${i}`)
    await minutes(0, 1, 'new')
    const { byDistance, worst } = clocks()
    expect(byDistance).toEqual({ inStep: 2, seconds: 23, minutes: 0, hours: 0, days: 0, unknown: 1 })
    expect([worst.length, worst[0]?.device, worst[0]?.offsetMs, worst[1]?.offsetMs]).toEqual([20, 'd24', 24_000, -23_000])
  })
  it('is kept over a restart, of a device that nobody associated too', async () => {
    open({ devicesMax: 1 })
    await minutes(420_000)
    open({ devicesMax: 1 })
    expect(clocks().worst).toMatchObject([{ device: 'm1', offsetMs: 420_000, heardAt: NOW_MS + 180_000 }])
    await send('association', { patient: 'A' })
    open({ devicesMax: 1 })
    expect(clocks().worst).toMatchObject([{ offsetMs: 420_000 }])
    expect(devices.associationAt('m1', intake.nowMs)).toEqual({ patient: 'A' })
  })
  it('is forgotten, on disk too, with a device that has to make room', async () => {
    open({ devicesMax: 1 })
    await minutes(420_000)
    expect(kept.get('m1')).not.toBeNull()
    await minutes(0, 1, 'm2')
    expect(devices.names()).toEqual(['m2'])
    expect(kept.get('m1')).toBeNull()
  })
  it('writes to the disk when it moves, and else four times an hour', async () => {
    let writes = 0
    const quiet = new Devices(DEVICE_OPTIONS)
    quiet.open({ load: () => [], save: () => { writes++; return Promise.resolve() } })
    for (let s = 0; s < 7_200; s += 10) quiet.sawTime('m1', (s - s % 3) * 1_000, s * 1_000)
    expect(writes).toBe(8)
  })
  it('is corrected where that is configured, also one that lost its date', async () => {
    open({ correctClocks: true })
    await minutes(NOW_MS)
    expect(intake.causes()).toEqual(['time-implausible', 'time-implausible', 'time-implausible'])
    expect(observations().map(([,,, at]) => at)).toEqual([180_000, 240_000])
  })
  it('is not learnt from what a broker had kept since last week, nor is that made fresh by it', async () => {
    open({ correctClocks: true })
    const week = 7 * 86_400_000
    for (let i = 0; i < 5; i++, intake.nowMs += 60_000) await inbox.receive('latido/devices/m1/numerics', Buffer.from(JSON.stringify({ time: NOW_MS - week, seq: 1, patient: 'P', numerics: [hr(80)] })), true)
    expect(clocks().worst).toEqual([])
    await minutes(90_000)
    await inbox.receive('latido/devices/m1/numerics', Buffer.from(JSON.stringify({ time: NOW_MS - week + 1, seq: 2, patient: 'P', numerics: [hr(80)] })), true)
    expect([observations()[0]?.[3], observations().at(-1)?.[3], intake.duplicates]).toEqual([-week, -week + 1, 4])
  })
  it('one that was behind and is set right is not corrected into the future', async () => {
    open({ correctClocks: true })
    await minutes(3_600_000)
    await minutes(0)
    expect(intake.causes()).toEqual([])
    expect(observations().slice(5).map(([,,, at]) => at)).toEqual([300_000, 360_000, 420_000, 480_000, 540_000])
  })
})

it('a feed\'s own codes and units come first', async () => {
  open({}, { ...PLAIN_MAPPING, codes: new Map([['PULS', { concept: 'heartRate', unit: '/min' }]]), units: new Map([['Schlaege', '/min']]) })
  await send('numerics', { time: NOW_MS, seq: 1, patient: 'P', numerics: [{ code: 'puls', value: 80 }, { code: '147842', value: 81, unit: 'Schlaege' }] })
  expect(observations().map(([concept, value]) => [concept, value])).toEqual([['heartRate', 80], ['heartRate', 81]])
})

it('judges what comes again after the log was away as the first time', async () => {
  const messages = [80, 200, 82].map((value, seq) => ({ time: NOW_MS - 3_000 + seq * 1_000, seq, patient: 'P', numerics: [hr(value)] }))
  await send('numerics', messages[0]!)
  intake.away = true
  for (const message of messages.slice(1)) await expect(send('numerics', message)).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
  intake.away = false
  for (const message of messages.slice(1)) await send('numerics', message)
  expect(observations().map(([, value, quality]) => [value, quality])).toEqual([[80, 'valid'], [200, 'artefact'], [82, 'valid']])
})

it('publishes an artefact with its quality, and takes a rule that is off as off', async () => {
  open({ artefacts: { ...ARTEFACT_RULES, pulsePressure: { on: false, mmHgMin: 8 } } })
  await send('numerics', { time: NOW_MS, seq: 1, patient: 'P', numerics: [{ code: '150033', value: 84, unit: 'mmHg' }, { code: '150034', value: 80, unit: 'mmHg' }, { code: '150035', value: 90, unit: 'mmHg' }, { code: 'PI', value: 1.2, unit: '%' }] })
  expect(observations().map(([, , quality]) => quality)).toEqual(['artefact', 'artefact', 'artefact'])
  expect([intake.counts.get('artefact-mean-outside'), intake.counts.get('perfusion-index'), intake.causes()]).toEqual([3, 1, []])
})

it('holds no more devices than it may; one that is associated stays', async () => {
  open({ devicesMax: 2 })
  await send('association', { patient: 'A' }, 'kept')
  for (let i = 0; i < 5; i++) await send('numerics', { time: NOW_MS, seq: i, patient: 'P', numerics: [hr(80)] }, `d${i}`)
  expect(devices.names()).toEqual(['kept', 'd4'])
  await send('association', { patient: 'B' }, 'd9')
  await send('association', { patient: 'C' }, 'd10')
  expect(intake.causes()).toEqual(['device-unmapped'])
})
