import type { FeatureTable, ViewColumns } from './feature-table.ts'
import type { Selection, ViewSelection } from './catalogue.ts'
import { NUMBER_BYTES_MAX, writeNumber, writeWhole } from './number-text.ts'

// JSON by columns: names once for each view, then for each entity a row of values, of event times, of ages. Written straight from the typed
// array: a tree of objects for 100 entities with 50 features each costs ten times as much.

/** What begins a view's part, for each selection as bytes: callers ask for the same selections again and again. */
const heads = new WeakMap<Selection, readonly Buffer[]>()
const STATES = { served: Buffer.from('"served"'), expired: Buffer.from('"expired"'), 'never-stored': Buffer.from('"never-stored"') }
const VALUES = Buffer.from(',"values":[')
const EVENT_TIMES = Buffer.from(',"eventTimes":[')
const AGES = Buffer.from(',"agesMs":[')
const STATE = Buffer.from('],"state":[')
const COMMA = 44
const OPEN = 91
const CLOSE = 93
const BRACE = 125

/** Bytes, and the same as numbers are written into them. */
interface Scratch { readonly bytes: Buffer, readonly data: DataView }

/** Kept from answer to answer while it is no larger. */
const SCRATCH_BYTES_MAX = 8 << 20
let scratch = scratchOf(1 << 16)

function scratchOf (size: number): Scratch {
  const bytes = Buffer.allocUnsafeSlow(size)
  return { bytes, data: new DataView(bytes.buffer, bytes.byteOffset, size) }
}

/** The documented JSON of a read: docs/serving.md. */
export function encodeJson (table: FeatureTable): Buffer {
  const { entities, columns, now, selection } = table
  const viewHeads = headsOf(selection)
  const head = Buffer.from(`{"now":${now},"entity":"${selection.entity}","entities":${JSON.stringify(entities)},"views":[`)
  const to = reserve(head.length + 2 + viewHeads.reduce((sum, h, v) => sum + h.length + 64 + entities.length * (NUMBER_BYTES_MAX + 22 + 3 * columns[v]!.width * (NUMBER_BYTES_MAX + 1)), 0))
  let at = put(to, 0, head)
  for (let v = 0; v < columns.length; v++) {
    if (v > 0) at = comma(to.data, at)
    at = writeView(to, put(to, at, viewHeads[v]!), table, columns[v]!, selection.views[v]!)
  }
  to.bytes[at++] = CLOSE
  to.bytes[at++] = BRACE
  return Buffer.from(to.bytes.subarray(0, at))
}

function headsOf (selection: Selection): readonly Buffer[] {
  let found = heads.get(selection)
  if (found === undefined) heads.set(selection, found = selection.views.map(({ view, names }) => Buffer.from(`{"view":"${view.name}","version":${view.version},"ttlMs":${view.ttlMs},"features":${JSON.stringify(names)},"asOf":[`)))
  return found
}

function reserve (bytes: number): Scratch {
  if (bytes <= scratch.bytes.length) return scratch
  const larger = scratchOf(bytes)
  if (bytes <= SCRATCH_BYTES_MAX) scratch = larger
  return larger
}

function writeView (to: Scratch, from: number, { data, now, entities: { length: entities } }: FeatureTable, { width, asOfAt, valuesAt, timesAt }: ViewColumns, { view: { ttlMs } }: ViewSelection): number {
  const text = to.data
  let at = from
  for (let e = 0; e < entities; e++) at = comma(text, writeNumber(text, at, data[asOfAt + e]!))
  at = put(to, ended(at, entities), STATE)
  for (let e = 0; e < entities; e++) {
    const asOf = data[asOfAt + e]!
    at = comma(text, put(to, at, asOf !== asOf ? STATES['never-stored'] : now - asOf > ttlMs ? STATES.expired : STATES.served))
  }
  at = ended(at, entities)
  text.setUint8(at, CLOSE)
  at = writeValues(text, put(to, at + 1, VALUES), data, valuesAt, entities, width)
  at = put(to, closedRows(text, at, entities), EVENT_TIMES)
  at = writeTimes(text, at, data, timesAt, entities, width)
  at = put(to, closedRows(text, at, entities), AGES)
  at = closedRows(text, writeAges(text, at, data, timesAt, entities, width, now), entities)
  text.setUint8(at, BRACE)
  return at + 1
}

function writeValues (to: DataView, from: number, data: Float64Array, valuesAt: number, entities: number, width: number): number {
  let at = from
  for (let e = 0, i = valuesAt; e < entities; e++) {
    to.setUint8(at++, OPEN)
    for (const end = i + width; i < end; i++) at = comma(to, writeNumber(to, at, data[i]!))
    at = closed(to, at, width)
  }
  return at
}

function writeTimes (to: DataView, from: number, data: Float64Array, timesAt: number, entities: number, width: number): number {
  let at = from
  for (let e = 0, i = timesAt; e < entities; e++) {
    to.setUint8(at++, OPEN)
    for (const end = i + width; i < end; i++) {
      const time = data[i]!
      at = comma(to, isWhole(time) ? writeWhole(to, at, time) : writeNumber(to, at, time))
    }
    at = closed(to, at, width)
  }
  return at
}

function writeAges (to: DataView, from: number, data: Float64Array, timesAt: number, entities: number, width: number, now: number): number {
  let at = from
  for (let e = 0, i = timesAt; e < entities; e++) {
    to.setUint8(at++, OPEN)
    for (const end = i + width; i < end; i++) {
      const age = now - data[i]!
      at = comma(to, isWhole(age) ? writeWhole(to, at, age) : writeNumber(to, at, age < 0 ? 0 : age))
    }
    at = closed(to, at, width)
  }
  return at
}

/** NaN is none. */
function isWhole (ms: number): boolean { return ms >= 0 && ms < 1e15 && ms === Math.floor(ms) }

function put (to: Scratch, at: number, bytes: Buffer): number { return at + bytes.copy(to.bytes, at) }

function comma (to: DataView, at: number): number {
  to.setUint8(at, COMMA)
  return at + 1
}

/** Before the last comma of a list. */
function ended (at: number, items: number): number { return items === 0 ? at : at - 1 }

/** A row's list closes where its last comma stood, and a comma follows. */
function closed (to: DataView, at: number, width: number): number {
  const end = ended(at, width)
  to.setUint8(end, CLOSE)
  to.setUint8(end + 1, COMMA)
  return end + 2
}

/** The list of rows closes where its last comma stood. */
function closedRows (to: DataView, at: number, entities: number): number {
  const end = ended(at, entities)
  to.setUint8(end, CLOSE)
  return end + 1
}
