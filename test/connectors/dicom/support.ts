import { Feed, fixedMapping, type Connector, type FeedMapping, type KeptTable } from '../../../connectors/kit/index.ts'
import { orthancConnector, orthancOptions } from '../../../connectors/dicom/index.ts'
import { TOPICS, type DeadLetter, type PatientKey, type StatementEvent } from '../../../streams/events/index.ts'
import { systemClock, type ManualClock } from '../../../streams/time/index.ts'
import { dicomFile, type DicomDataSet } from '../../kit/dicom-file.ts'
import { until } from '../../kit/servers/index.ts'
import { openHouse, read, type House } from '../kit/house.ts'

export const NOW_MS: number = Date.UTC(2031, 4, 6, 10, 0, 0)
const WITHIN_MS = 30_000

type Tables = (name: string) => KeptTable<unknown>

/** The connector of an archive before a real intake and log, all in one directory: opened again on it, it is the same after a restart. */
export class Radiology {
  readonly house: House
  readonly connector: Connector
  readonly feed: Feed
  /** Identifiers of the patients that something was said of. */
  readonly patients: readonly string[]

  private constructor (house: House, connector: Connector, feed: Feed, patients: readonly string[]) { this.house = house; this.connector = connector; this.feed = feed; this.patients = patients }

  static async open (directory: string, clock: ManualClock, options: Readonly<Record<string, unknown>>, { mapping, through = tables => tables }: { readonly mapping?: FeedMapping, readonly through?: (tables: Tables) => Tables } = {}): Promise<Radiology> {
    const patients: string[] = []
    const house = await openHouse(directory, clock, { identify: ({ id }) => { patients.push(id); return Promise.resolve(`key-${id}` as PatientKey) } })
    const parsed = { ...orthancOptions.parse({ pollEveryMs: 100, ...options }), compareEveryMs: 500 }
    const feed = new Feed({ name: 'pacs', kind: 'orthanc', intake: house.intake, mapping: fixedMapping(mapping), map: orthancConnector.mapper(parsed) })
    const tables = through(name => (house.intake as unknown as { table: (name: string) => KeptTable<unknown> }).table(`pacs-${name}`))
    try {
      const connector = await orthancConnector.start({ feed, clock: systemClock, table: <T>(name: string) => tables(name) as KeptTable<T>, secret: () => 'only-for-tests', say: () => {} }, parsed)
      return new Radiology(house, connector, feed, patients)
    } catch (e) {
      await house.close()
      throw e
    }
  }

  async statements (): Promise<readonly StatementEvent[]> {
    return (await read(this.house.log, TOPICS.events, r => this.house.codecs.decode(r))).flatMap(one => one.kind === 'ok' && one.value.type === 'statement' ? [one.value] : [])
  }

  deadLetters (): Promise<readonly DeadLetter[]> { return read(this.house.log, TOPICS.deadLetters, r => this.house.codecs.decodeDeadLetter(r)) }
  async until (what: string, holds: (statements: readonly StatementEvent[]) => boolean | Promise<boolean>): Promise<readonly StatementEvent[]> {
    await until(what, WITHIN_MS, async () => await holds(await this.statements()))
    return await this.statements()
  }

  /** Until the archive was read to its end and compared once more: what was to come has come. */
  async calm (): Promise<void> {
    let end = Infinity
    await until('the archive is read', WITHIN_MS, () => { if (end === Infinity && this.connector.health().state === 'up') end = performance.now() + 1_500; return performance.now() > end })
  }

  async close (): Promise<void> { await this.connector[Symbol.asyncDispose](); await this.house.close() }
}

export interface StudyOf { readonly study: string, readonly series?: string, readonly instance?: string, readonly patientId?: string | Buffer, readonly more?: DicomDataSet }

const text = (vr: 'CS' | 'DA' | 'LO' | 'PN' | 'SH' | 'TM' | 'UI', value: string | Buffer): DicomDataSet[string] => ({ vr, value })

/** An instance of an invented patient's study. */
export function image ({ study, series = '1', instance = '1', patientId = 'PX-1', more = {} }: StudyOf): Buffer {
  const uid = `1.2.826.0.1.${study}`
  return dicomFile(`${uid}.${series}.${instance}`, {
    '00080005': text('CS', 'ISO_IR 100'), '00080020': text('DA', '20310506'), '00080030': text('TM', '081500'), '00080060': text('CS', 'CT'), '00080201': text('SH', '+0200'),
    '00100010': text('PN', 'Invented^Person'), '00100020': text('LO', patientId), '0020000D': text('UI', uid), '0020000E': text('UI', `${uid}.${series}`), ...more,
  })
}

export { text }
