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

/** Kept from answer to answer while it is no larger. */
const SCRATCH_BYTES_MAX = 8 << 20
let scratch = Buffer.allocUnsafeSlow(1 << 16)

/** The documented JSON of a read: docs/serving.md. */
export function encodeJson (table: FeatureTable): Buffer {
  const { entities, columns, now, selection } = table
  const viewHeads = headsOf(selection)
  const head = Buffer.from(`{"now":${now},"entity":"${selection.entity}","entities":${JSON.stringify(entities)},"views":[`)
  const to = reserve(head.length + 2 + viewHeads.reduce((sum, h, v) => sum + h.length + 64 + entities.length * (NUMBER_BYTES_MAX + 22 + 3 * columns[v]!.width * (NUMBER_BYTES_MAX + 1)), 0))
  let at = put(to, 0, head)
  for (let v = 0; v < columns.length; v++) {
    if (v > 0) to[at++] = COMMA
    at = writeView(to, put(to, at, viewHeads[v]!), table, columns[v]!, selection.views[v]!)
  }
  to[at++] = CLOSE
  to[at++] = BRACE
  return Buffer.from(to.subarray(0, at))
}

function headsOf (selection: Selection): readonly Buffer[] {
  let found = heads.get(selection)
  if (found === undefined) heads.set(selection, found = selection.views.map(({ view, names }) => Buffer.from(`{"view":"${view.name}","version":${view.version},"ttlMs":${view.ttlMs},"features":${JSON.stringify(names)},"asOf":[`)))
  return found
}

function reserve (bytes: number): Buffer {
  if (bytes <= scratch.length) return scratch
  const larger = Buffer.allocUnsafeSlow(bytes)
  if (bytes <= SCRATCH_BYTES_MAX) scratch = larger
  return larger
}

function writeView (to: Buffer, from: number, { data, now, entities: { length: entities } }: FeatureTable, { width, asOfAt, valuesAt, timesAt }: ViewColumns, { view: { ttlMs } }: ViewSelection): number {
  let at = from
  for (let e = 0; e < entities; e++) at = comma(to, writeNumber(to, at, data[asOfAt + e]!))
  at = put(to, ended(at, entities), STATE)
  for (let e = 0; e < entities; e++) {
    const asOf = data[asOfAt + e]!
    at = comma(to, put(to, at, asOf !== asOf ? STATES['never-stored'] : now - asOf > ttlMs ? STATES.expired : STATES.served))
  }
  to[at = ended(at, entities)] = CLOSE
  at = put(to, at + 1, VALUES)
  for (let e = 0, i = valuesAt; e < entities; e++) {
    to[at++] = OPEN
    for (const end = i + width; i < end; i++) at = comma(to, writeNumber(to, at, data[i]!))
    at = closed(to, at, width)
  }
  at = put(to, closedRows(to, at, entities), EVENT_TIMES)
  at = writeTimes(to, at, data, timesAt, entities, width)
  at = put(to, closedRows(to, at, entities), AGES)
  at = writeAges(to, at, data, timesAt, entities, width, now)
  at = closedRows(to, at, entities)
  to[at++] = BRACE
  return at
}

/** Features share readings, so an event time is often the one before: its text is copied. */
function writeTimes (to: Buffer, from: number, data: Float64Array, timesAt: number, entities: number, width: number): number {
  let at = from
  let before = NaN
  let textAt = 0
  let textEnd = 0
  for (let e = 0, i = timesAt; e < entities; e++) {
    to[at++] = OPEN
    for (const end = i + width; i < end; i++) {
      const time = data[i]!
      if (time === before) {
        for (let from = textAt; from < textEnd; from++) to[at++] = to[from]!
      } else {
        textAt = at
        textEnd = at = writeNumber(to, at, time)
        before = time
      }
      to[at++] = COMMA
    }
    at = closed(to, at, width)
  }
  return at
}

function writeAges (to: Buffer, from: number, data: Float64Array, timesAt: number, entities: number, width: number, now: number): number {
  let at = from
  for (let e = 0, i = timesAt; e < entities; e++) {
    to[at++] = OPEN
    for (const end = i + width; i < end; i++) {
      const age = now - data[i]!
      at = age >= 0 && age === Math.floor(age) && age < 1e15 ? writeWhole(to, at, age) : writeNumber(to, at, age < 0 ? 0 : age)
      to[at++] = COMMA
    }
    at = closed(to, at, width)
  }
  return at
}

function put (to: Buffer, at: number, bytes: Buffer): number { return at + bytes.copy(to, at) }

function comma (to: Buffer, at: number): number {
  to[at] = COMMA
  return at + 1
}

/** Before the last comma of a list. */
function ended (at: number, items: number): number { return items === 0 ? at : at - 1 }

/** A row's list closes where its last comma stood, and a comma follows. */
function closed (to: Buffer, at: number, width: number): number {
  const end = ended(at, width)
  to[end] = CLOSE
  to[end + 1] = COMMA
  return end + 2
}

/** The list of rows closes where its last comma stood. */
function closedRows (to: Buffer, at: number, entities: number): number {
  const end = ended(at, entities)
  to[end] = CLOSE
  return end + 1
}
