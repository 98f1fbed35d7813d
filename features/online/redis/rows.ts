import { StringInterner } from '../../../streams/codec/index.ts'
import { assert, LatidoError } from '../../../streams/errors/index.ts'
import type { OnlineRow, StoredRow } from '../port.ts'
import { packInto, SIGN, VERSION_BYTES } from '../stored-row.ts'

/**
 * The value of an entity is a byte for the form, then its rows: length of the table's name (a byte), the name (Latin-1), bytes of the value (4, little endian),
 * the version (a double, little endian, with the sign set where the row was taken out), the value.
 */
const FORM = 1
const SIZE_BYTES = 4
/** Before an entity of a batch: its bytes, and the form, with which its value begins. */
const ENTITY_SIZE_BYTES = 4
const ENTITY_HEAD_BYTES = ENTITY_SIZE_BYTES + 1

/** Every value names its tables: the same few bytes again and again. */
const tableNames = new StringInterner('latin1', 1_024)

export interface EntityRows { readonly entity: string, readonly rows: OnlineRow[], bytes: number }

/** Entity by entity, each table once: of two rows the newer, of two of one version the first. */
export function byEntity (rows: readonly OnlineRow[]): readonly EntityRows[] {
  const entities = new Map<string, EntityRows>()
  for (const row of rows) {
    let of = entities.get(row.entity)
    if (of === undefined) entities.set(row.entity, of = { entity: row.entity, rows: [], bytes: ENTITY_HEAD_BYTES })
    const { rows: mine } = of
    let at = 0
    while (at < mine.length && mine[at]!.table !== row.table) at++
    const before = mine[at]
    if (before !== undefined && before.version >= row.version) continue
    of.bytes += bytesOf(row) - (before === undefined ? 0 : bytesOf(before))
    mine[at] = row
  }
  return [...entities.values()]
}

function bytesOf ({ table, value }: OnlineRow): number { return 1 + table.length + SIZE_BYTES + VERSION_BYTES + (value?.length ?? 0) }

/** Some entities as the script reads them: for each its bytes, then a value as it is stored, of the new rows alone. */
export function encodeBatch (entities: readonly EntityRows[]): Buffer {
  const buffer = Buffer.allocUnsafe(entities.reduce((n, { bytes }) => n + bytes, 0))
  let at = 0
  for (const { rows, bytes } of entities) {
    at = buffer.writeUInt8(FORM, buffer.writeUInt32LE(bytes - ENTITY_SIZE_BYTES, at))
    for (const row of rows) at = encodeRow(buffer, at, row)
  }
  return buffer
}

/** Few, and written again and again. */
const names = new Map<string, Buffer>()
const NAMES_MAX = 1_000

/** A table's name with its length before it. */
function nameOf (table: string): Buffer {
  const known = names.get(table)
  if (known !== undefined) return known
  assert(table.length > 0 && table.length < 256 && !/[^\u0020-\u007e]/.test(table), 'the name of a table is short and ASCII')
  const name = Buffer.from([table.length, ...Buffer.from(table, 'latin1')])
  if (names.size < NAMES_MAX) names.set(table, name)
  return name
}

function encodeRow (buffer: Buffer, start: number, { table, version, value }: OnlineRow): number {
  const name = nameOf(table)
  name.copy(buffer, start)
  const size = start + name.length
  return packInto(buffer, buffer.writeUInt32LE(value?.length ?? 0, size), version, value)
}

/** The rows of these tables out of an entity's value, in the order asked. Throws ONLINE_FOREIGN_DATA. */
export function decodeRows (entity: string, stored: Buffer | null, tables: ReadonlyMap<string, readonly number[]>, count: number): (StoredRow | undefined)[] {
  const found = Array.from<StoredRow | undefined>({ length: count })
  if (stored === null) return found
  if (stored[0] !== FORM) throw foreignData('a value has a form that this version does not know')
  for (let at = 1; at < stored.length;) {
    const name = at + 1
    const size = name + stored[at]!
    const start = size + SIZE_BYTES
    const places = tables.get(tableNames.of(stored, name, size))
    at = start + VERSION_BYTES + stored.readUInt32LE(size)
    if (places === undefined) continue
    if ((stored[start + VERSION_BYTES - 1]! & SIGN) !== 0) continue // taken out
    const row = { entity, version: stored.readDoubleLE(start), value: stored.subarray(start + VERSION_BYTES, at) }
    for (let i = 0; i < places.length; i++) found[places[i]!] = row
  }
  return found
}

export function foreignData (what: string, cause?: unknown): LatidoError {
  return new LatidoError('ONLINE_FOREIGN_DATA', `under the prefix of the online store on Redis lies what Latido did not write: ${what}`, 'give each user of this Redis a prefix of its own (--redis-prefix), and do not go back behind the version that wrote there', cause)
}
