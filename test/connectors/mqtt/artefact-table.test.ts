import { beforeEach, describe, expect, it } from 'vitest'
import { DEVICE_OPTIONS, Devices, mqttMapper } from '../../../connectors/mqtt/index.ts'
import { Inbox } from '../../../connectors/mqtt/inbox.ts'
import { Feed, fixedMapping } from '../../../connectors/kit/index.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

/** A value, or a value with the quality that the device gave it. */
type Value = number | null | string | readonly [value: number, quality: string]
type Message = readonly [atS: number, values: Readonly<Record<string, Value>>]
/** `code` to code and unit. PR: of the oximeter; APR: of the arterial line. ART: of the line; NBP: of the cuff. */
const CODES: Readonly<Record<string, readonly [code: string, unit: string]>> = {
  HR: ['147842', '/min'], PR: ['149530', '/min'], APR: ['149522', '/min'], SpO2: ['150456', '%'], PI: ['150488', '%'], RR: ['151562', '/min'], T: ['150344', 'Cel'], CO2: ['151708', 'mmHg'],
  ARTs: ['150033', 'mmHg'], ARTd: ['150034', 'mmHg'], ARTm: ['150035', 'mmHg'], NBPs: ['150021', 'mmHg'], NBPd: ['150022', 'mmHg'], NBPm: ['150023', 'mmHg'],
}
const each = (everyS: number, untilS: number, values: Message[1]): readonly Message[] => Array.from({ length: Math.floor(untilS / everyS) + 1 }, (_, i) => [i * everyS, values] as const)

const LIMITS = 'engineering limits in common use (docs/clinical-limits.md): HR 20-300, SpO2 40-100, RR 2-80, SBP 30-300, T 25-43.5'
const SUN = 'Sun, Reisner, Mark. Computers in Cardiology 2006; 33: 13-16'
const LI = 'Li, Mark, Clifford. Physiol Meas 2008; 29: 15-32'
const ABOUKHALIL = 'Aboukhalil et al. J Biomed Inform 2008; 41: 442-451'
const PROBE = 'a perfusion index under 0.3-0.5 %: engineering limit, the ward\'s choice'
const BICEPS = 'ISO/IEEE 11073-10207, MeasurementValidity'
const ENGINEERING = 'engineering limit'

interface Row {
  readonly rule: string
  readonly source: string
  readonly messages: readonly Message[]
  /** Of the last message: the first letters of the qualities of what is published, in its order. */
  readonly last: string
  /** What is refused, as causes. */
  readonly refused?: readonly string[]
  readonly counted?: readonly string[]
}

/** Each rule at its limit, and beyond it. Nothing may vanish: a value is published with a quality, refused as a dead letter, or counted as missing. */
const ROWS: readonly Row[] = [
  ...([['HR', 20, 300, 1], ['SpO2', 40, 100, 1], ['RR', 2, 80, 1], ['ARTs', 30, 300, 1], ['T', 25, 43.5, 0.1]] as const).flatMap(([code, low, high, step]): Row[] => [
    { rule: `${code} at its hard limits`, source: LIMITS, messages: [[0, { [code]: low }], [3_600, { [code]: high }]], last: 'v' },
    { rule: `${code} below its hard limit`, source: LIMITS, messages: [[0, { [code]: low - step }]], last: '', refused: ['value-impossible'] },
    { rule: `${code} above its hard limit`, source: LIMITS, messages: [[0, { [code]: high + step }]], last: '', refused: ['value-impossible'] },
    { rule: `${code} is 0, where no patient has one: the lead is off, so it is missing`, source: LIMITS, messages: [[0, { [code]: 0 }]], last: '', counted: ['sensor-off'] },
    { rule: `${code} is null: the lead is off`, source: LIMITS, messages: [[0, { [code]: null }]], last: '', counted: ['sensor-off'] },
  ]),
  { rule: 'end-tidal CO2 of 0 is a value: apnoea', source: LIMITS, messages: [[0, { CO2: 0 }]], last: 'v' },
  { rule: 'a value of a lead that is off costs the others nothing', source: LIMITS, messages: [[0, { HR: null, SpO2: 97, RR: 0, T: 99 }]], last: 'v', refused: ['value-impossible'], counted: ['sensor-off'] },
  { rule: 'HR changes by 60 /min in a second', source: LI, messages: [[0, { HR: 80 }], [1, { HR: 140 }]], last: 'v' },
  { rule: 'HR changes by more', source: LI, messages: [[0, { HR: 80 }], [1, { HR: 141 }]], last: 'a', counted: ['artefact-heart-rate-jump'] },
  { rule: 'SpO2 changes by 10 % in a second', source: ENGINEERING, messages: [[0, { SpO2: 98 }], [1, { SpO2: 88 }]], last: 'v' },
  { rule: 'SpO2 changes by more', source: ENGINEERING, messages: [[0, { SpO2: 98 }], [1, { SpO2: 87 }]], last: 'a', counted: ['artefact-spo2-jump'] },
  { rule: 'a line that is the same for 59 s', source: SUN, messages: each(1, 59, { ARTs: 120, ARTd: 80, ARTm: 93 }), last: 'vvv' },
  { rule: 'a line that is the same for 60 s', source: SUN, messages: each(1, 60, { ARTs: 120, ARTd: 80, ARTm: 93 }), last: 'qqq', counted: ['artefact-flatline'] },
  { rule: 'a line whose pulse changes lives', source: SUN, messages: [...each(1, 59, { ARTs: 120, ARTd: 80, APR: 71 }), [60, { ARTs: 120, ARTd: 80, APR: 72 }]], last: 'vvv' },
  { rule: 'a cuff is the same until its next reading', source: SUN, messages: each(60, 3_600, { NBPs: 120, NBPd: 80 }), last: 'vv' },
  { rule: 'an oximeter that shows decimals, the same for 60 s', source: ENGINEERING, messages: each(1, 60, { SpO2: 97, PR: 71, PI: 1.27 }), last: 'qq', counted: ['artefact-flatline'] },
  { rule: 'whole SpO2 and pulse, the same for 29 minutes', source: ENGINEERING, messages: each(10, 29 * 60, { SpO2: 97, PR: 60 }), last: 'vv' },
  { rule: 'whole SpO2 and pulse, the same for 30 minutes', source: ENGINEERING, messages: each(10, 30 * 60, { SpO2: 97, PR: 60 }), last: 'qq', counted: ['artefact-flat-oximeter'] },
  { rule: 'a whole SpO2 alone, the same for hours: 100 on oxygen', source: ENGINEERING, messages: each(20, 7_200, { SpO2: 100 }), last: 'v' },
  { rule: 'hundredths of a degree, the same for 10 minutes', source: ENGINEERING, messages: each(60, 600, { T: 36.72 }), last: 'v' },
  { rule: 'hundredths of a degree, the same for longer', source: ENGINEERING, messages: each(60, 660, { T: 36.72 }), last: 'q', counted: ['artefact-flat-temperature'] },
  { rule: 'tenths of a degree stay the same in health', source: ENGINEERING, messages: each(60, 3_600, { T: 36.7 }), last: 'v' },
  { rule: 'MAP at DBP and at SBP', source: SUN, messages: [[0, { ARTs: 120, ARTd: 80, ARTm: 80 }], [1, { ARTs: 121, ARTd: 80, ARTm: 121 }]], last: 'vvv' },
  { rule: 'MAP below DBP', source: SUN, messages: [[0, { ARTs: 120, ARTd: 80, ARTm: 79 }]], last: 'aaa', counted: ['artefact-mean-outside'] },
  { rule: 'MAP above SBP, of the cuff', source: SUN, messages: [[0, { NBPs: 120, NBPd: 80, NBPm: 121 }]], last: 'aaa', counted: ['artefact-mean-outside'] },
  { rule: 'pulse pressure of 8', source: SUN, messages: [[0, { ARTs: 88, ARTd: 80 }]], last: 'vv' },
  { rule: 'pulse pressure under 8: damped, or flushed', source: SUN, messages: [[0, { ARTs: 87, ARTd: 80, ARTm: 83 }]], last: 'qqq', counted: ['artefact-pulse-pressure'] },
  { rule: 'SpO2 at a perfusion index of 0.3', source: PROBE, messages: [[0, { SpO2: 97, PI: 0.3 }]], last: 'v', counted: ['perfusion-index'] },
  { rule: 'SpO2 below it', source: PROBE, messages: [[0, { SpO2: 97, PI: 0.29 }]], last: 'q', counted: ['artefact-low-perfusion'] },
  { rule: 'a perfusion index in words is refused, not taken for a probe that is off', source: PROBE, messages: [[0, { SpO2: 97, PI: 'low' }]], last: 'v', refused: ['value-unparsable'] },
  { rule: 'a perfusion index that cannot be', source: PROBE, messages: [[0, { SpO2: 97, PI: -1 }]], last: 'v', refused: ['value-impossible'] },
  { rule: 'a perfusion index that is null', source: PROBE, messages: [[0, { SpO2: 97, PI: null }]], last: 'v', counted: ['sensor-off'] },
  { rule: 'PR and HR differ by 15', source: LI, messages: [[0, { HR: 80, PR: 95, SpO2: 97 }]], last: 'vvv' },
  { rule: 'PR and HR differ by more: the probe', source: LI, messages: [[0, { HR: 80, PR: 96, SpO2: 97 }]], last: 'vqq', counted: ['artefact-pulse-mismatch'] },
  { rule: 'PR and HR differ, the line agrees with the ECG: the probe', source: ABOUKHALIL, messages: [[0, { HR: 80, PR: 120, SpO2: 97, APR: 82 }]], last: 'vqqv', counted: ['artefact-pulse-mismatch'] },
  { rule: 'PR and HR differ, the line agrees with the probe: the ECG', source: ABOUKHALIL, messages: [[0, { HR: 160, PR: 80, SpO2: 97, APR: 82 }]], last: 'qvvv', counted: ['artefact-pulse-mismatch'] },
  { rule: 'ECG and probe agree, the line does not: the line\'s pulse', source: ABOUKHALIL, messages: [[0, { HR: 80, PR: 81, SpO2: 97, APR: 120 }]], last: 'vvvq', counted: ['artefact-pulse-mismatch'] },
  { rule: 'line and ECG alone differ: the line\'s pulse', source: LI, messages: [[0, { HR: 80, APR: 120 }]], last: 'vq', counted: ['artefact-pulse-mismatch'] },
  { rule: 'line and probe alone differ: nobody knows which', source: LI, messages: [[0, { PR: 80, SpO2: 97, APR: 120 }]], last: 'qqq', counted: ['artefact-pulse-mismatch'] },
  { rule: 'the rate of a message nine seconds before counts', source: LI, messages: [[0, { HR: 80 }], [9, { PR: 120, SpO2: 97 }]], last: 'qq', counted: ['artefact-pulse-mismatch'] },
  ...([['Vld', 'v'], ['Vldated', 'v'], ['Ques', 'q'], ['Calib', 'a'], ['Inv', 'a'], ['Oflw', 'a'], ['Uflw', 'a']] as const).map(([said, quality]): Row => ({ rule: `the validity ${said}`, source: BICEPS, messages: [[0, { HR: [80, said] }]], last: quality })),
  ...['Ong', 'NA'].map((said): Row => ({ rule: `the validity ${said}: there is no measurement`, source: BICEPS, messages: [[0, { HR: [80, said] }]], last: '', counted: ['sensor-off'] })),
  { rule: 'a quality that nobody defined', source: BICEPS, messages: [[0, { HR: [80, 'fine'] }]], last: '', refused: ['malformed'] },
]

let intake: FakeIntake
let inbox: Inbox
beforeEach(() => {
  intake = new FakeIntake()
  const devices = new Devices(DEVICE_OPTIONS)
  devices.open(undefined)
  inbox = new Inbox(new Feed({ name: 'ward', kind: 'mqtt', intake, mapping: fixedMapping(), map: mqttMapper(DEVICE_OPTIONS, devices) }), devices)
})
const send = (channel: string, payload: object): Promise<void> => inbox.receive(`latido/devices/m1/${channel}`, Buffer.from(JSON.stringify(payload)))
const START = NOW_MS - 8_000_000
const lastQualities = (seq: number): string => intake.published.filter(m => m.messageId === `m1|${seq}`).flatMap(m => m.event.type === 'observations' ? m.event.observations.map(o => o.quality[0]) : []).join('')

describe('row by row', () => {
  it.each(ROWS)('$rule ($source)', async ({ messages, last, refused = [], counted = [] }) => {
    let values = 0
    for (const [seq, [atS, said]] of messages.entries()) {
      const numerics = Object.entries(said).map(([name, value]) => ({ code: CODES[name]![0], unit: CODES[name]![1], ...Array.isArray(value) ? { value: value[0] as unknown, quality: value[1] as unknown } : { value } }))
      values += numerics.length
      await send('numerics', { time: START + atS * 1_000, seq, patient: 'P', numerics })
    }
    expect(lastQualities(messages.length - 1)).toBe(last)
    expect(intake.causes()).toEqual(refused)
    for (const what of counted) expect(intake.counts.get(what), what).toBeGreaterThan(0)
    if (last.includes('v') && !/[qa]/.test(last) && counted.length === 0) expect([...intake.counts.keys()].filter(what => what.startsWith('artefact'))).toEqual([])
    const accounted = intake.values().length + intake.refused.length + (intake.counts.get('sensor-off') ?? 0) + (intake.counts.get('perfusion-index') ?? 0)
    expect(accounted, 'every value is published, refused or counted').toBe(values)
  })
})

describe('summaries of waves, row by row', () => {
  const wave = (code: string, mean: number | null, min: number | null, max: number | null, unit = 'mmHg', more: object = {}): object => ({ time: START, intervalMs: 15_000, seq: 1, patient: 'P', waves: [{ code, mean, min, max, unit, ...more }] })
  const qualities = (): readonly string[] => intake.published.flatMap(m => m.event.type === 'observations' ? m.event.observations.map(o => `${o.concept} ${Math.round(o.value)} ${o.quality[0]}`) : [])
  it.each([
    ['an arterial wave: its mean', wave('MDC_PRESS_BLD_ART', 90, 70, 120), ['meanPressure 90 v'], undefined],
    ['the same by its number, in kPa', wave('150036', 12, 9.3, 16, 'kPa'), ['meanPressure 90 v'], undefined],
    ['one that moves by 8', wave('150032', 90, 86, 94), ['meanPressure 90 v'], undefined],
    ['one that moves by less: damped', wave('150032', 90, 86, 93.9), ['meanPressure 90 q'], 'artefact-pulse-pressure'],
    ['one that was flushed', wave('150032', 110, 70, 301), ['meanPressure 110 q'], 'artefact-wave-outside'],
    ['one that was zeroed', wave('150032', 60, 0, 120), ['meanPressure 60 q'], 'artefact-wave-outside'],
    ['one that does not move', wave('150032', 90, 90, 90), ['meanPressure 90 a'], 'artefact-flat-wave'],
    ['one that the device calls invalid', wave('150032', 90, 70, 120, 'mmHg', { quality: 'Inv' }), ['meanPressure 90 a'], undefined],
    ['one that is being measured still', wave('150032', 90, 70, 120, 'mmHg', { quality: 'Ong' }), [], 'sensor-off'],
    ['a transducer that is off', wave('150032', null, null, null), [], 'sensor-off'],
    ['carbon dioxide over a breath', wave('MDC_CONC_AWAY_CO2', 20, 0, 38), ['etco2 38 v'], undefined],
    ['an ECG: nothing is computed with it', wave('MDC_ECG_ELEC_POTL_II', 0, -0.4, 1.1, 'mV'), [], 'wave-without-concept'],
  ] as const)('%s', async (_, message, said, counted) => {
    await send('waves', message)
    expect(qualities()).toEqual(said)
    expect([...intake.counts.keys()].filter(what => what !== 'published')).toEqual(counted === undefined ? [] : [counted])
    expect(intake.causes()).toEqual([])
  })

  it('a flat plethysmogram makes what the oximeter says questionable, until it moves again, and leaves the ECG alone', async () => {
    const numerics = (seq: number, atS: number): Promise<void> => send('numerics', { time: START + atS * 1_000, seq, patient: 'P', numerics: [{ code: '147842', value: 80, unit: '/min' }, { code: '150456', value: 97, unit: '%' }, { code: '149530', value: 80, unit: '/min' }] })
    const pleth = (seq: number, atS: number, max: number): Promise<void> => send('waves', { ...wave('150452', 0, 0, max, ''), time: START + atS * 1_000, intervalMs: 5_000, seq })
    await numerics(0, 0)
    await pleth(1, 0, 0)
    await numerics(2, 6)
    await pleth(3, 5, 4)
    await numerics(4, 11)
    await pleth(5, 10, 0)
    await numerics(6, 26)
    expect([0, 2, 4, 6].map(lastQualities)).toEqual(['vvv', 'vqq', 'vvv', 'vvv'])
    expect(intake.counts.get('artefact-flat-pleth')).toBe(2)
  })
})
