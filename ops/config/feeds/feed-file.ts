import { z } from 'zod'
import { CONCEPT_IDS, toCanonical } from '../../../streams/events/index.ts'
import { readShape } from '../../../streams/shapes/index.ts'
import { isZone } from '../../../streams/time/index.ts'
import type { FeedMapping } from '../../../connectors/kit/index.ts'
import type { AnyKind, ConfiguredKind } from './any-kind.ts'
import type { FeedFault } from './fault.ts'
import { readJson } from './json-lines.ts'
import type { Listens } from './ports.ts'

/** What `NAME.json` says, checked. */
export interface FeedFile {
  readonly kind: AnyKind
  readonly configured: ConfiguredKind
  /** The options as text, to see whether they have changed. */
  readonly optionsText: string
  readonly mapping: Omit<FeedMapping, 'codes'>
  /** Absent: nowhere, or on any port that is free. */
  readonly listens?: Listens
}

export type FeedFileRead = { readonly kind: 'ok', readonly file: FeedFile } | { readonly kind: 'invalid', readonly faults: readonly FeedFault[] }

/** What the files of feeds are read with, as the configuration says it. */
export interface FeedDefaults {
  /** Zone of a feed whose file names none. */
  readonly zone: string
  /** Where the pages and the API are: no feed listens there. */
  readonly host: string
  readonly httpPort: number
}

const schema = z.strictObject({
  connector: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
  mapping: z.strictObject({
    site: z.string().max(64).regex(/^[\w .-]*$/, 'letters, digits, blanks, ".", "_" and "-" alone').default(''),
    zone: z.string().refine(isZone, 'there is no time zone of that name; write one as Europe/Madrid').optional(),
    namespaces: z.record(z.string().max(200), z.string().max(64).regex(/^[\w.-]*$/, 'a namespace has letters, digits, ".", "_" and "-" alone')).default({}),
    units: z.record(z.string().min(1).max(40), z.string().min(1).max(40).refine(isUnit, 'no concept can be measured in this unit')).default({}),
  }).default({ site: '', namespaces: {}, units: {} }),
})

export function readFeedFile (file: string, text: string, kinds: readonly AnyKind[], defaults: FeedDefaults): FeedFileRead {
  const json = readJson(text)
  if (json.kind === 'invalid') return { kind: 'invalid', faults: [{ file, line: json.line, why: json.why }] }
  const fault = (path: readonly string[], why: string): FeedFault => ({ file, line: json.lineOf(path), why: path.length === 0 ? why : `${path.join('.')}: ${why}` })
  const read = readShape(schema, json.value, 'shown')
  if (read.kind === 'invalid') return { kind: 'invalid', faults: read.faults.map(({ path, why }) => fault(path.map(String), why)) }
  const { connector, options, mapping } = read.value
  const kind = kinds.find(one => one.kind === connector)
  if (kind === undefined) return { kind: 'invalid', faults: [fault(['connector'], `there is no connector "${connector}"; there are: ${kinds.map(one => one.kind).join(', ')}`)] }
  const configured = kind.configure(options)
  if (configured.kind === 'invalid') return { kind: 'invalid', faults: configured.faults.map(({ path, why }) => fault(['options', ...path], why)) }
  const { host, port = 0, option = ['port'] } = configured.listens ?? { host: '' }
  return {
    kind: 'ok',
    file: {
      ...port === 0 ? {} : { listens: { host, port, option: ['options', ...option].join('.'), line: json.lineOf(['options', ...option]) } },
      kind, configured: configured.configured, optionsText: JSON.stringify([connector, options]),
      mapping: { site: mapping.site, zone: mapping.zone ?? defaults.zone, namespaces: new Map(Object.entries(mapping.namespaces)), units: new Map(Object.entries(mapping.units)) },
    },
  }
}

function isUnit (unit: string): boolean { return CONCEPT_IDS.some(concept => toCanonical(concept, 1, unit) !== undefined) }
