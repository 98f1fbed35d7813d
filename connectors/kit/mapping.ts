import { conceptOf, toCanonical, type ConceptId } from '../../streams/events/index.ts'
import { note, type Notices } from './outcome.ts'

/** What one code of a feed means, in place of or beside the standard tables. */
export interface CodeMapping {
  readonly concept: ConceptId
  /** Unit of values that come without one, or with one that the feed means otherwise; undefined: as sent. */
  readonly unit?: string | undefined
}

/** Of a code that is not wanted: a part that carries it is counted and passed over. */
export const IGNORE = 'ignore'

/** What a code means to a feed; `ignore`: it is an ignored code. */
export type CodeMeaning = CodeMapping | typeof IGNORE

/** What a feed's codes, units, times and identifiers mean. Configuration: checked when it is loaded, replaced while the feed runs. */
export interface FeedMapping {
  /** Site or hospital that the feed belongs to: its wards are `site.ward`, so that feeds of one site share beds and those of two do not; empty: none. */
  readonly site: string
  /** IANA zone of times without an offset. */
  readonly zone: string
  /** By `system|code`, then by `code` alone. Codes compare in upper case. */
  readonly codes: ReadonlyMap<string, CodeMeaning>
  /** Spellings of units that the feed uses, and the UCUM code that each means. */
  readonly units: ReadonlyMap<string, string>
  /**
   * Assigning authorities of patient identifiers, in order of preference, and the namespace of each in Latido: feeds that share a namespace share
   * patients. Empty: every authority is the one unnamed namespace.
   */
  readonly namespaces: ReadonlyMap<string, string>
}

export const PLAIN_MAPPING: FeedMapping = { site: '', zone: 'UTC', codes: new Map(), units: new Map(), namespaces: new Map() }

/** A code that nothing maps, as the page shows it. `text` is the feed's name of the code; never a value of a patient. */
export interface UnmappedCode {
  readonly system: string
  readonly code: string
  readonly text: string
  readonly unit: string
}

/** The mapping of a running feed. */
export interface MappingTable {
  /** The one that holds now: read once a message, so that a message is read by one mapping. */
  readonly current: FeedMapping
  /** Counts a code that nothing maps, and keeps it as an example. */
  unmapped (code: UnmappedCode): void
}

/** A table that never changes and remembers nothing: for tests and for files that bring their own. */
export function fixedMapping (mapping: FeedMapping = PLAIN_MAPPING): MappingTable { return { current: mapping, unmapped: () => {} } }

/** What a code means: the feed's own table first, then LOINC (`LN`), MDC and the short names. An ignored code is for `passOver`, one without a meaning for `unmapped`. */
export function meaningOf (mapping: FeedMapping, system: string, code: string): CodeMeaning | undefined {
  const upper = code.toUpperCase()
  const own = mapping.codes.get(`${system.toUpperCase()}|${upper}`) ?? mapping.codes.get(upper)
  if (own !== undefined) return own
  const concept = conceptOf(system, code)
  return concept === undefined ? undefined : { concept }
}

/** Counts what was passed over because its code is ignored: it is no value and no fault, and the rest of its message goes on. */
export function passOver (notices: Notices, parts: number = 1): void { note(notices, 'codes-ignored', parts) }

/** A value in the concept's canonical unit. An empty unit means what the mapping says of the code, else that it is canonical already. undefined: the unit is unknown. */
export function canonicalValue (mapping: FeedMapping, meaning: CodeMapping, value: number, unit: string): number | undefined {
  const said = meaning.unit ?? unit
  return toCanonical(meaning.concept, value, mapping.units.get(said) ?? said)
}

/** An identifier in its namespace, or undefined where the feed's table does not know its authority. */
export function identifierOf (mapping: FeedMapping, authority: string, id: string): string | undefined {
  if (mapping.namespaces.size === 0) return id
  const namespace = mapping.namespaces.get(authority)
  return namespace === undefined ? undefined : namespace === '' ? id : `${namespace}|${id}`
}
