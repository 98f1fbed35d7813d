import { LatidoError } from '../../../streams/errors/index.ts'

/** Sample formats that are read (WFDB signal(5)). */
export const SAMPLE_FORMATS = ['16', '24', '32', '80', '212'] as const
export type SampleFormat = (typeof SAMPLE_FORMATS)[number]

/** One line of a header about a signal. */
export interface WfdbSignal {
  readonly file: string
  readonly format: SampleFormat
  /** Bytes before the first sample. */
  readonly offset: number
  /** ADC units per physical unit. */
  readonly gain: number
  /** ADC value of 0 physical units. */
  readonly baseline: number
  readonly units: string
  /** 16-bit sum of all samples; undefined: not told. */
  readonly checksum: number | undefined
  readonly name: string
}

export interface WfdbHeader {
  readonly record: string
  /** Frames a second. */
  readonly frequency: number
  /** Frames; undefined: not told. */
  readonly frames: number | undefined
  /** Wall time of the first frame, as if it were UTC; undefined: not told. */
  readonly startsAt: number | undefined
  readonly signals: readonly WfdbSignal[]
}

/** header(5): where nothing, or 0, is said. */
const DEFAULT_FREQUENCY = 250
const DEFAULT_GAIN = 200

/**
 * Reads a header (WFDB Applications Guide, header(5)): a record line, then a line a signal; lines that begin with `#` are comments. What these readings
 * do not need is refused by name: segments, several samples a frame, skew. Throws FILE_INVALID.
 */
export function readHeader (text: string, name: string): WfdbHeader {
  const invalid = (why: string, action = 'check the header'): LatidoError => new LatidoError('FILE_INVALID', `${name} is no WFDB header that can be read: ${why}`, action)
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'))
  const [record = '', signals = '', frequency = '', frames = '', time = '', date = ''] = (lines[0] ?? '').trim().split(/\s+/)
  if (record.includes('/')) throw invalid('it is of several segments', 'give the header of each segment')
  if (!/^[A-Za-z0-9_-]+$/.test(record) || !/^\d+$/.test(signals)) throw invalid('its first line does not say a record and how many signals it has')
  if (Number(signals) === 0) throw invalid('it has no signals')
  if (lines.length - 1 < Number(signals)) throw invalid(`it says ${signals} signals and describes ${lines.length - 1}`)
  const said = Number(frequency.split(/[/(]/)[0])
  if (!(said >= 0)) throw invalid('its sampling frequency is no number')
  return {
    record, frequency: said === 0 ? DEFAULT_FREQUENCY : said,
    frames: /^\d+$/.test(frames) && Number(frames) > 0 ? Number(frames) : undefined,
    startsAt: startOf(time, date, invalid),
    signals: lines.slice(1, Number(signals) + 1).map((line, i) => signalOf(line, i, invalid)),
  }
}

const SIGNAL = /^(\S+)\s+(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?(?:\s+(.*))?$/
const GAIN = /^([-+]?[\d.]+(?:[eE][-+]?\d+)?)(?:\(([-+]?\d+)\))?(?:\/(\S+))?$/

function signalOf (line: string, i: number, invalid: (why: string, action?: string) => LatidoError): WfdbSignal {
  const where = `signal ${i + 1}`
  const match = SIGNAL.exec(line.trim())
  if (match === null) throw invalid(`${where} has no file and format`)
  const [, file = '', format = '', perFrame = '1', skew = '0', offset = '0', rest = ''] = match
  if (!/^[A-Za-z0-9_.-]+$/.test(file) || file === '-' || file === '~' || file.startsWith('.')) throw invalid(`the file of ${where} is not beside it`)
  if (!isSampleFormat(format)) throw invalid(`${where} is in format ${format}`, `formats ${SAMPLE_FORMATS.join(', ')} are read`)
  if (perFrame !== '1') throw invalid(`${where} has ${perFrame} samples a frame`, 'waveforms are not taken; give a record of numerics')
  if (skew !== '0') throw invalid(`${where} is skewed`, 'give a record of numerics')
  const [gainText = '', , zero = '', , checksum = '', , ...description] = rest.trim().split(/\s+/)
  const gain = GAIN.exec(gainText)
  if (gain === null && gainText !== '') throw invalid(`the gain of ${where} is no number`)
  const [, slope = '0', baseline, units = 'mV'] = gain ?? []
  return {
    file, format, offset: Number(offset), gain: Number(slope) === 0 ? DEFAULT_GAIN : Number(slope), baseline: Number(baseline ?? (/^[-+]?\d+$/.test(zero) ? zero : '0')), units: units.replaceAll('_', ' '),
    checksum: /^[-+]?\d+$/.test(checksum) ? Number(checksum) : undefined, name: description.join(' '),
  }
}

function isSampleFormat (format: string): format is SampleFormat { return (SAMPLE_FORMATS as readonly string[]).includes(format) }

const TIME = /^(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d+))?)?$/
const DATE = /^(\d\d?)\/(\d\d?)\/(\d{4})$/

function startOf (timeText: string, dateText: string, invalid: (why: string) => LatidoError): number | undefined {
  const [time, date] = [TIME.exec(timeText), DATE.exec(dateText)]
  if (timeText !== '' && time === null || dateText !== '' && date === null) throw invalid('its base time or date is none')
  if (time === null || date === null) return undefined
  const [, hour, minute, second = 0, fraction = ''] = time
  const [, day, month, year] = date
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)))
}
