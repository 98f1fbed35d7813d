import type { OnlineRow, StoredRow } from './port.ts'

/** How a row lies in every online store: its version as a little-endian double, then the value. A row that was taken out is its version alone, with the sign set. */
export const VERSION_BYTES = 8
/** Of the last byte of the version. */
export const SIGN = 0x80

export function pack ({ version, value }: OnlineRow): Buffer {
  const row = Buffer.allocUnsafe(VERSION_BYTES + (value?.length ?? 0))
  packInto(row, 0, version, value)
  return row
}

/** Answers the end of what it wrote. */
export function packInto (buffer: Buffer, start: number, version: number, value: Buffer | null): number {
  buffer.writeDoubleLE(value === null ? -version : version, start)
  return start + VERSION_BYTES + (value?.copy(buffer, start + VERSION_BYTES) ?? 0)
}

export function isRemoved (row: Buffer): boolean { return (row[VERSION_BYTES - 1]! & SIGN) !== 0 }

export function versionIn (row: Buffer): number { return Math.abs(row.readDoubleLE(0)) }

export function unpack (entity: string, row: Buffer | null | undefined): StoredRow | undefined {
  return row === null || row === undefined || isRemoved(row) ? undefined : { entity, version: row.readDoubleLE(0), value: row.subarray(VERSION_BYTES) }
}
