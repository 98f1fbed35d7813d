import { Feed, fixedMapping, PLAIN_MAPPING, type FeedMapping, type KeptTable, type MappingTable } from '../../../connectors/kit/index.ts'
import { FILES_OPTIONS, formatOf, runImport, type FileProgress, type FilesOptions, type Imported } from '../../../connectors/files/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { FILES_PARTS } from '../../../ops/run/intake/files-connector.ts'
import { FakeIntake } from '../kit/fake-intake.ts'

/** Later than every time in these tests. */
export const NOW_MS: number = Date.UTC(2031, 4, 6, 10, 0, 0)

export const LONG: object = { format: 'csv', csv: { patient: 'mrn', time: 'at', code: 'test', value: 'result', unit: 'unit', kind: 'laboratory' } }

/** What outlives an import. */
export class Tables {
  readonly #tables = new Map<string, Map<string, unknown>>()

  table<T> (name: string): KeptTable<T> {
    let rows = this.#tables.get(name)
    if (rows === undefined) this.#tables.set(name, rows = new Map())
    const own = rows
    return { load: () => [...own] as [string, T][], save: (key, value) => { if (value === undefined) own.delete(key); else own.set(key, value); return Promise.resolve() } }
  }
}

export interface Trial { readonly intake: FakeIntake, readonly feed: Feed, readonly said: string[], take (path: string, onProgress?: (progress: FileProgress) => void): Promise<Imported> }

/** A feed of files over an intake in memory. */
export function trial (raw: object, { mapping = PLAIN_MAPPING, table, tables = new Tables(), intake = new FakeIntake(NOW_MS) }: { readonly mapping?: FeedMapping, readonly table?: MappingTable, readonly tables?: Tables, readonly intake?: FakeIntake } = {}): Trial {
  const options: FilesOptions = FILES_OPTIONS.parse(raw)
  const format = formatOf(options, FILES_PARTS)
  const feed = new Feed({ name: 'files', kind: 'files', intake, mapping: table ?? fixedMapping(mapping), map: format.map })
  const said: string[] = []
  return {
    intake, feed, said,
    take: async (path, onProgress) => {
      const context = { feed, clock: systemClock, table: <T>(name: string) => tables.table<T>(name), secret: () => '', say: (line: string) => { said.push(line) } }
      const { connector, done } = runImport(context, { path, format, inFlightMax: 64, ...onProgress === undefined ? {} : { onProgress } })
      try {
        return await done
      } finally {
        await connector[Symbol.asyncDispose]()
      }
    },
  }
}

/** Values in the order in which they came. */
export function valuesOf ({ published }: FakeIntake): readonly number[] { return published.flatMap(({ event }) => event.type === 'observations' ? event.observations.map(({ value }) => value) : []) }
