import { assert, LatidoError } from '../../../streams/errors/index.ts'
import type { OnlineRow, StoredRow } from '../port.ts'
import { packInto, unpack, VERSION_BYTES } from '../stored-row.ts'

/**
 * The value of an entity is a byte for the form, then its rows: length of the table's name (a byte), the name (Latin-1), bytes of the value (4, little endian),
 * the version (a double, little endian, with the sign set where the row was taken out), the value.
 */
export const FORM = 1
const SIZE_BYTES = 4
const ENTITY_SIZE_BYTES = 4

export interface EntityRows { readonly entity: string, readonly rows: OnlineRow[], bytes: number }

/** Entity by entity, each table once: of two rows the newer, of two of one version the first. */
export function byEntity (rows: readonly OnlineRow[]): readonly EntityRows[] {
  const entities = new Map<string, EntityRows>()
  for (const row of rows) {
    let of = entities.get(row.entity)
    if (of === undefined) entities.set(row.entity, of = { entity: row.entity, rows: [], bytes: ENTITY_SIZE_BYTES })
    const at = of.rows.findIndex(other => other.table === row.table)
    if (at === -1) {
      of.rows.push(row)
      of.bytes += bytesOf(row)
    } else if (of.rows[at]!.version < row.version) {
      of.bytes += bytesOf(row) - bytesOf(of.rows[at]!)
      of.rows[at] = row
    }
  }
  return [...entities.values()]
}

function bytesOf ({ table, value }: OnlineRow): number { return 1 + table.length + SIZE_BYTES + VERSION_BYTES + (value?.length ?? 0) }

/** The rows of some entities as the script reads them: for each its bytes, then its rows. */
export function encodeBatch (entities: readonly EntityRows[]): Buffer {
  const buffer = Buffer.allocUnsafe(entities.reduce((n, { bytes }) => n + bytes, 0))
  let at = 0
  for (const { rows, bytes } of entities) {
    at = buffer.writeUInt32LE(bytes - ENTITY_SIZE_BYTES, at)
    for (const row of rows) at = encodeRow(buffer, at, row)
  }
  return buffer
}

function encodeRow (buffer: Buffer, start: number, { table, version, value }: OnlineRow): number {
  assert(table.length > 0 && table.length < 256 && !/[^\u0020-\u007e]/.test(table), 'the name of a table is short and ASCII')
  buffer[start] = table.length
  const size = start + 1 + buffer.write(table, start + 1, 'latin1')
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
    const places = tables.get(stored.toString('latin1', name, size))
    at = start + VERSION_BYTES + stored.readUInt32LE(size)
    if (places === undefined) continue
    const row = unpack(entity, stored.subarray(start, at))
    for (const place of places) found[place] = row
  }
  return found
}

export function foreignData (what: string, cause?: unknown): LatidoError {
  return new LatidoError('ONLINE_FOREIGN_DATA', `under the prefix of the online store on Redis lies what Latido did not write: ${what}`, 'give each user of this Redis a prefix of its own (--redis-prefix), and do not go back behind the version that wrote there', cause)
}
