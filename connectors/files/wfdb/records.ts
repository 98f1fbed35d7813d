import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { FileRecord, TakenFile } from '../import/format.ts'
import { failure } from '../read-bytes.ts'
import { writeBlock } from './block.ts'
import { readHeader, type WfdbHeader, type WfdbSignal } from './header.ts'
import type { WfdbOptions } from './options.ts'
import { isInvalid, sampleAt, samplesIn } from './samples.ts'

/** Frames of one message. */
export const FRAMES_OF_BLOCK = 60
/** Faster records are waveforms. */
const FREQUENCY_MAX = 10
const DAT_BYTES_MAX = 512 * 1024 * 1024

/** A header and its files of samples, which are one. undefined: a file of samples is not there yet. */
export async function wfdbParts (path: string): Promise<readonly string[] | undefined> {
  const header = await headerOf(path, 'a file')
  const files = [...new Set(header.signals.map(signal => join(dirname(path), signal.file)))]
  return files.every(file => existsSync(file)) ? [path, ...files] : undefined
}

/** Numerics of a WFDB record, a message for each 60 frames. Throws FILE_INVALID where a checksum, or the count of samples, is not as the header says. */
export async function * wfdbRecords (file: TakenFile, options: WfdbOptions): AsyncIterable<FileRecord> {
  const header = await headerOf(file.path, file.name)
  if (header.frequency > FREQUENCY_MAX) throw invalid(file.name, `it has ${header.frequency} frames a second: waveforms are not taken as readings`, 'give a record of numerics')
  const patient = options.patient === '' ? new RegExp(options.patientPattern).exec(header.record)?.[1] ?? '' : options.patient
  const startsAt = options.startAt === '' ? header.startsAt : Date.parse(options.startAt)
  if (startsAt === undefined) throw invalid(file.name, 'it has no base time and date', 'say startAt')
  const columns = await columnsOf(header, file)
  const frames = columns[0]?.length ?? 0
  const taken = header.signals.map((signal, i) => ({ signal, column: columns[i]! })).filter(({ signal }) => !options.ignore.includes(signal.name))
  for (let first = 0, record = 1; first < frames; first += FRAMES_OF_BLOCK, record++) {
    const count = Math.min(FRAMES_OF_BLOCK, frames - first)
    const signals = taken.map(({ signal, column }) => ({ name: signal.name, unit: signal.units, values: Array.from({ length: count }, (_, i) => valueOf(signal, column[first + i]!)) }))
    yield { raw: writeBlock({ identity: file.identity, record, patient, startsAt, zoned: options.startAt !== '', firstMs: first * 1_000 / header.frequency, everyMs: 1_000 / header.frequency, signals }), whole: true }
  }
}

async function headerOf (path: string, name: string): Promise<WfdbHeader> {
  const text = await readFile(path, 'latin1').catch((e: unknown) => { throw failure({ path, name }, e) })
  return readHeader(text, name)
}

/** null: nothing was measured, which is not 0. */
function valueOf ({ format, gain, baseline }: WfdbSignal, sample: number): number | null { return isInvalid(format, sample) ? null : (sample - baseline) / gain }

/** The samples of each signal. Signals of one file take turns in it. */
async function columnsOf (header: WfdbHeader, { path, name }: TakenFile): Promise<readonly Int32Array[]> {
  const columns = new Map<WfdbSignal, Int32Array>()
  for (const file of new Set(header.signals.map(signal => signal.file))) {
    const group = header.signals.filter(signal => signal.file === file)
    const [{ format, offset }] = group as [WfdbSignal, ...WfdbSignal[]]
    if (group.some(signal => signal.format !== format)) throw invalid(name, 'two signals of one file have different formats')
    const bytes = (await samplesOf(join(dirname(path), file), name)).subarray(offset)
    const there = Math.floor(samplesIn(format, bytes.length) / group.length)
    const frames = header.frames ?? there
    if (there < frames) throw invalid(name, `it says ${frames} frames, and a file of samples has ${there}`, 'fetch its files again')
    for (const [i, signal] of group.entries()) columns.set(signal, checked(Int32Array.from({ length: frames }, (_, frame) => sampleAt(bytes, format, frame * group.length + i)), signal, name))
  }
  const all = header.signals.map(signal => columns.get(signal)!)
  if (all.some(column => column.length !== all[0]!.length)) throw invalid(name, 'its signals are not of one length')
  return all
}

async function samplesOf (path: string, name: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > DAT_BYTES_MAX) throw invalid(name, `a file of samples has more than ${DAT_BYTES_MAX} bytes`, 'give a record of numerics')
    return await readFile(path)
  } catch (e) {
    throw failure({ path, name: `a file of samples of ${name}` }, e)
  }
}

/** header(5): the 16-bit checksum of all samples of a signal. */
function checked (samples: Int32Array, { checksum, name: signal }: WfdbSignal, name: string): Int32Array {
  if (checksum !== undefined && ((samples.reduce((sum, sample) => sum + sample & 0xffff, 0) ^ checksum) & 0xffff) !== 0) throw invalid(name, `the samples of ${signal === '' ? 'a signal' : signal} do not have the checksum of the header`, 'fetch its files again')
  return samples
}

function invalid (name: string, why: string, action = 'check the record'): LatidoError { return new LatidoError('FILE_INVALID', `${name} is no WFDB record that can be taken: ${why}`, action) }
