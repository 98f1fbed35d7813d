import { writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LiveMapping, PLAIN_MAPPING } from '../../../../connectors/kit/index.ts'
import { readHeader } from '../../../../connectors/files/wfdb/header.ts'
import { isInvalid, sampleAt, samplesIn } from '../../../../connectors/files/wfdb/samples.ts'
import { TemporaryFolder } from '../folder.ts'
import { NOW_MS, trial, valuesOf } from '../support.ts'
import { WRITTEN_BY_WFDB } from './written-by-wfdb.ts'
import { checksumOf, FORMATS, pack, type TestFormat } from './writer.ts'

const START = Date.UTC(2026, 2, 14, 8, 30)
const WFDB = { format: 'wfdb' }

interface Signal { readonly name: string, readonly units: string, readonly gain: string, readonly samples: readonly number[] }

/** A record of one file of samples. */
async function record (format: TestFormat, fs: string, signals: readonly Signal[], more: { readonly head?: string, readonly checksum?: number, readonly cut?: number, readonly prolog?: number } = {}): Promise<TemporaryFolder> {
  const frames = signals[0]!.samples.length
  const mixed = Array.from({ length: frames }, (_, i) => signals.map(({ samples }) => samples[i]!)).flat()
  const offset = more.prolog === undefined ? '' : `+${more.prolog}`
  const folder = await TemporaryFolder.of({ '3544749n.hea': [
    more.head ?? `3544749n ${signals.length} ${fs} ${frames} 08:30:00 14/03/2026`,
    ...signals.map(({ name, units, gain, samples }) => `3544749n.dat ${format}${offset} ${gain}/${units} 12 0 ${samples[0]} ${more.checksum ?? checksumOf(samples)} 0 ${name}`), '# Location: micu', '',
  ].join('\n') })
  const bytes = Buffer.concat([Buffer.alloc(more.prolog ?? 0, 7), pack(format, mixed)])
  await writeFile(folder.file('3544749n.dat'), bytes.subarray(0, bytes.length - (more.cut ?? 0)))
  return folder
}

describe('samples of a WFDB file', () => {
  it.each(FORMATS)('in format %s are read as another program wrote them', format => {
    const [least, most] = ({ 16: [-32_768, 32_767], 24: [-8_388_608, 8_388_607], 32: [-2_147_483_648, 2_147_483_647], 80: [-128, 127], 212: [-2_048, 2_047] } as const)[format]
    fc.assert(fc.property(fc.array(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 50 }), samples => {
      const bytes = pack(format, samples)
      expect(samplesIn(format, bytes.length)).toBeGreaterThanOrEqual(samples.length)
      expect(samples.map((_, i) => sampleAt(bytes, format, i))).toEqual(samples)
    }))
    expect([isInvalid(format, least), isInvalid(format, 0)]).toEqual([true, false])
  })
})

describe('a WFDB record of numerics', () => {
  it.each(WRITTEN_BY_WFDB.map(one => [one.format, one] as const))('that the wfdb package wrote in format %s has the values that it reads there', async (format, { header, dat, values }) => {
    await using folder = await TemporaryFolder.of({ [`g${format}.hea`]: header })
    await writeFile(folder.file(`g${format}.dat`), Buffer.from(dat, 'base64'))
    const { intake, take } = trial(WFDB)
    await take(folder.file(`g${format}.hea`))
    const { event } = intake.published[0]!
    if (event.type !== 'observations') throw new Error('no readings')
    const at = (concept: string, frame: number): number | null => event.observations.find(one => one.concept === concept && one.eventTime === START + frame * 1_000)?.value ?? null
    expect(values.map((_, frame) => [at('heartRate', frame), at('spo2', frame)])).toEqual(values)
  })

  it.each(FORMATS)('in format %s becomes device readings in physical units, at its base time in the feed\'s zone', async format => {
    await using folder = await record(format, '0.0166666666667', [{ name: 'HR', units: 'bpm', gain: '1(0)', samples: [60, 61, 62] }, { name: 'ABPMean', units: 'mmHg', gain: '0.5(-10)', samples: [30, 31, 32] }])
    const { intake, take } = trial(WFDB, { mapping: { ...PLAIN_MAPPING, zone: 'Europe/Madrid' } })
    expect(await take(folder.file('3544749n.hea'))).toEqual({ records: 1, before: 0 })
    expect(intake.published).toMatchObject([{ patient: { id: '3544749n' }, source: 'file:wfdb', event: { type: 'observations', kind: 'device' } }])
    const { event } = intake.published[0]!
    if (event.type !== 'observations') throw new Error('no readings')
    const from = START - 3_600_000
    expect(event.observations.map(({ concept, value, eventTime, resultId }) => [concept, value, Math.round((eventTime - from) / 1_000), resultId])).toEqual([
      ['heartRate', 60, 0, ''], ['meanPressure', 80, 0, ''], ['heartRate', 61, 60, ''], ['meanPressure', 82, 60, ''], ['heartRate', 62, 120, ''], ['meanPressure', 84, 120, ''],
    ])
    expect(intake.refused).toEqual([])
  })

  it('has no reading where a sample is missing, which is not 0; what no patient can have is counted', async () => {
    await using folder = await record('16', '1', [{ name: 'HR', units: 'bpm', gain: '10', samples: [600, -32_768, 0, 620] }])
    const { intake, take } = trial(WFDB)
    await take(folder.file('3544749n.hea'))
    expect(valuesOf(intake)).toEqual([60, 62])
    expect([intake.counts.get('sample-missing'), intake.counts.get('value-impossible')]).toEqual([1, 1])
  })

  it('is cut into messages of 60 frames, so it is resumed and no message is large', async () => {
    const samples = Array.from({ length: 150 }, (_, i) => 60 + i % 40)
    await using folder = await record('212', '1', [{ name: 'HR', units: 'bpm', gain: '1', samples }], { prolog: 16 })
    const { intake, take } = trial(WFDB)
    expect(await take(folder.file('3544749n.hea'))).toEqual({ records: 3, before: 0 })
    expect(valuesOf(intake)).toEqual(samples)
  })

  it('whose signal nobody maps keeps it as letters of its own, unless it is to be ignored', async () => {
    await using folder = await record('16', '1', [{ name: 'HR', units: 'bpm', gain: '1', samples: [60, 61] }, { name: 'NBP SYS', units: 'mmHg', gain: '1', samples: [120, 121] }, { name: 'ST I', units: 'mm', gain: '1', samples: [1, 2] }])
    const table = new LiveMapping({ mapping: PLAIN_MAPPING, now: () => NOW_MS, seen: [] })
    const { intake, feed, take } = trial({ ...WFDB, wfdb: { ignore: ['ST I'], patientPattern: '^(\\d+)' } }, { table })
    await take(folder.file('3544749n.hea'))
    expect(intake.published.map(({ patient }) => patient.id)).toEqual(['3544749'])
    expect(intake.refused.map(({ cause }) => cause)).toEqual(['code-unknown'])
    table.replace({ ...PLAIN_MAPPING, codes: new Map([['NBP SYS', { concept: 'systolic' }]]) })
    expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
    expect(valuesOf(intake)).toEqual([60, 61, 120, 121])
  })

  it('is refused before its first reading where a checksum or the count of samples is not as the header says', async () => {
    const signals = [{ name: 'HR', units: 'bpm', gain: '1', samples: [60, 61, 62, 63] }]
    for (const more of [{ checksum: 1 }, { cut: 2 }]) {
      await using folder = await record('16', '1', signals, more)
      const { intake, take } = trial(WFDB)
      await expect(take(folder.file('3544749n.hea'))).rejects.toMatchObject({ code: 'FILE_INVALID' })
      expect(intake.published).toEqual([])
    }
  })

  it('is refused with what is to be done where it is no record of numerics with a time', async () => {
    const signals = [{ name: 'HR', units: 'bpm', gain: '1', samples: [60] }]
    const cases: readonly (readonly [head: string, fs: string, says: string])[] = [
      ['3544749n/3 1 1 1 08:30:00 14/03/2026', '1', 'several segments'], ['3544749n 1 125 1 08:30:00 14/03/2026', '125', 'waveforms'], ['3544749n 1 1 1', '1', 'no base time'], ['3544749n 1 1 1 08:30:00 14.03.2026', '1', 'base time'], ['3544749n 0 1 1', '1', 'no signals'],
    ]
    for (const [head, fs, says] of cases) {
      await using folder = await record('16', fs, signals, { head })
      await expect(trial(WFDB).take(folder.file('3544749n.hea')), head).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining(says) as string })
    }
  })

  it('whose dates were shifted is laid where the feed says', async () => {
    await using folder = await record('16', '1', [{ name: 'HR', units: 'bpm', gain: '1', samples: [60] }], { head: '3544749n 1 1 1 08:30:00 14/03/2896' })
    const first = trial(WFDB)
    await first.take(folder.file('3544749n.hea'))
    expect(first.intake.refused.map(({ cause }) => cause)).toEqual(['time-in-future'])
    const second = trial({ ...WFDB, wfdb: { startAt: '2026-03-14T08:30:00Z' } })
    await second.take(folder.file('3544749n.hea'))
    expect(second.intake.published).toMatchObject([{ event: { observations: [{ eventTime: START }] } }])
  })
})

describe('a WFDB header', () => {
  it('has the defaults of header(5), and what it does not tell is not guessed', () => {
    expect(readHeader('# a comment\nr 1\nr.dat 16\n', 'r')).toEqual({ record: 'r', frequency: 250, frames: undefined, startsAt: undefined, signals: [{ file: 'r.dat', format: '16', offset: 0, gain: 200, baseline: 0, units: 'mV', checksum: undefined, name: '' }] })
    expect(readHeader('r 1 1/1(0) 10 8:30:00.250 1/2/2026\nr.dat 212+4 100(5)/deg_C 12 3 0 -7 0 T body\n', 'r').signals[0]).toMatchObject({ offset: 4, gain: 100, baseline: 5, units: 'deg C', checksum: -7, name: 'T body' })
    expect(readHeader('r 1 1\nr.dat 16 0/mV 12 3\n', 'r').signals[0]).toMatchObject({ gain: 200, baseline: 3 })
  })

  it('names only files beside it, and formats that are read', () => {
    for (const line of ['../../secrets 16', '/r.dat 16', '- 16', 'r.dat 310', 'r.dat 16x4', 'r.dat 16:2', 'r.dat']) expect(() => readHeader(`r 1 1\n${line}\n`, 'r'), line).toThrow()
  })
})
