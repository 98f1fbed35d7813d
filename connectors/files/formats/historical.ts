import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs } from '../../../streams/time/index.ts'
import { identifierOf, type InboundEvent, type MapContext, type MappedMessage, type MessageMapper } from '../../kit/index.ts'
import type { FileFormat, FileRecord, TakenFile } from '../import/format.ts'
import { findTables } from '../mimic3/directory.ts'
import { openMimic3 } from '../mimic3/source.ts'
import { openPhysionet2019 } from '../physionet2019/source.ts'
import type { HistoricalSource } from '../port.ts'
import { failure } from '../read-bytes.ts'

/** How far a recording's times may be ahead of ours. */
const AHEAD_MS_MAX = 300_000
/** Both sets hide their dates; they are laid so far back that their times are past. */
export const STARTS_AT: ArrivalTimeMs = Date.UTC(2019, 0, 1)

/** Event times as the set has them from `startAt` on; arrival is when the log has them. Use `latido replay` where arrival times matter. */
export function physionet2019Format (startAt: ArrivalTimeMs = STARTS_AT): FileFormat {
  return { name: 'physionet2019', atOnce: true, endings: /\.csv(\.gz)?$/i, parts: path => filesOf(path, /\.psv$/), records: file => recordsOf(file, () => openPhysionet2019(file.path, { startAt })), map }
}

/** A folder of tables. */
export function mimic3Format (startAt: ArrivalTimeMs = STARTS_AT): FileFormat {
  return { name: 'mimic3', atOnce: true, endings: /^$/, parts: async path => [...(await findTables(path)).values()].map(file => file.path), records: file => recordsOf(file, () => openMimic3(file.path, { timeline: 'aligned', startAt })), map }
}

async function filesOf (path: string, endings: RegExp): Promise<readonly string[]> {
  const file = { path, name: 'the file' }
  const is = await stat(path).catch((e: unknown) => { throw failure(file, e) })
  if (!is.isDirectory()) return [path]
  const names = (await readdir(path)).filter(name => endings.test(name)).sort()
  if (names.length === 0) throw new LatidoError('FILE_INVALID', 'the folder has no file of this kind', 'check that this is the folder you meant')
  return names.map(name => join(path, name))
}

interface Historical { readonly identity: string, readonly record: number, readonly source: string, readonly patient: string, readonly event: InboundEvent }

async function * recordsOf ({ identity, count }: TakenFile, open: () => Promise<HistoricalSource>): AsyncIterable<FileRecord> {
  const source = await open()
  for (const [cause, n] of source.refused) for (let i = 0; i < n; i++) count(`refused-by-reader-${cause}`)
  let record = 0
  for await (const { patientId, event } of source) {
    yield { raw: Buffer.from(JSON.stringify({ identity, record: ++record, source: source.name, patient: patientId, event: event as InboundEvent } satisfies Historical)), whole: true }
  }
}

const map: MessageMapper = (raw, { now, mapping }: MapContext): MappedMessage => {
  const { identity, record, source, patient, event } = JSON.parse(raw.toString('utf8')) as Historical
  const rejected = (cause: 'patient-missing' | 'time-in-future', detail: string): MappedMessage => ({ kind: 'rejected', source, fault: { cause, detail }, notices: new Map() })
  const id = identifierOf(mapping, '', patient)
  if (id === undefined) return rejected('patient-missing', 'the identifier has no namespace')
  if (newestOf(event) > now + AHEAD_MS_MAX) return rejected('time-in-future', `record ${record}`)
  return { kind: 'mapped', source, id: `${identity}#${record}`, content: raw, events: [{ patient: { id }, event }], refused: [], notices: new Map() }
}

function newestOf (event: InboundEvent): number { return event.type === 'observations' ? event.observations.reduce((newest, { eventTime }) => Math.max(newest, eventTime), 0) : event.eventTime }
